/* Owns the tree of a request body: cJSON behind a strict scan, in the caller's arena. */
#include "json/json_reader.h"

#include <cJSON.h>

#include "base/checked.h"
#include "base/json_scanner.h"
#include "base/json_writer.h"

enum {
	/* 15 digits are exact in a double; longer ones and powers of ten need their text. */
	EXACT_DIGITS_MAX = 15,
	I64_DIGITS_MAX = 19,
	PRINT_BYTES_MIN = 1024,
};

static const struct slice ELLIPSIS = {"\xE2\x80\xA6", 3};

/* Where cJSON's hooks allocate while json_read runs on this thread. */
static _Thread_local struct arena *hook_arena;

static void *hook_malloc(size_t bytes);
static void hook_free(void *memory);
static bool scan(struct slice text, bool *needs_texts_out, bool *is_string_out, struct error *err);
static bool needs_text(struct slice number);
static bool build(struct slice text, struct arena *arena, cJSON **out, struct error *err);
static void attach_texts(cJSON *root, struct slice text, struct arena *arena);
static cJSON *next_in_document(cJSON *item, cJSON **parents, unsigned *depth);
static bool text_to_i64(struct slice text, int64_t *out);
static const cJSON *item_of(struct json_node node);
static bool print_tree(struct json_writer *w, const cJSON *root, size_t bytes_max);
static bool print_item(struct json_writer *w, const cJSON *item, bool is_child, size_t bytes_max);
static bool is_container(const cJSON *item);
static void end_container(struct json_writer *w, const cJSON *item);

void json_reader_setup(void)
{
	cJSON_Hooks hooks = {.malloc_fn = hook_malloc, .free_fn = hook_free};
	cJSON_InitHooks(&hooks);
}

bool json_read(struct slice text, struct arena *arena, struct json_node *out, struct error *err)
{
	cJSON *root = NULL;
	bool needs_texts = false, is_string = false;
	if (slice_trim(text).len == 0)
		text = SLICE("{}");
	if (!scan(text, &needs_texts, &is_string, err) || !build(text, arena, &root, err))
		return false;
	if (is_string) {
		/* Encoded twice: what counts is the object inside. Any other string stays one. */
		struct slice inner = slice_from_cstr(root->valuestring);
		if (slice_starts_with(slice_trim(inner), SLICE("{"))) {
			text = inner;
			if (!scan(text, &needs_texts, &is_string, err) ||
			    !build(text, arena, &root, err))
				return false;
		}
	}
	if (needs_texts)
		attach_texts(root, text, arena);
	*out = (struct json_node){root};
	return true;
}

enum json_type json_node_type(struct json_node node)
{
	const cJSON *item = item_of(node);
	if (item == NULL)
		return JSON_TYPE_ABSENT;
	switch (item->type & 0xFF) {
	case cJSON_NULL:
		return JSON_TYPE_NULL;
	case cJSON_True:
	case cJSON_False:
		return JSON_TYPE_BOOL;
	case cJSON_Number:
		return JSON_TYPE_NUMBER;
	case cJSON_String:
		return JSON_TYPE_STRING;
	case cJSON_Array:
		return JSON_TYPE_ARRAY;
	default:
		return JSON_TYPE_OBJECT;
	}
}

struct json_node json_node_member(struct json_node object, struct slice name)
{
	struct json_node found = {NULL};
	if (json_node_type(object) != JSON_TYPE_OBJECT)
		return found;
	for (struct json_node child = json_node_first(object); child.item_or_null != NULL;
	     child = json_node_next(child)) {
		if (slice_eq(json_node_key(child), name))
			found = child;
	}
	return found;
}

struct json_node json_node_first(struct json_node parent)
{
	const cJSON *item = item_of(parent);
	return (struct json_node){item == NULL ? NULL : item->child};
}

struct json_node json_node_next(struct json_node child)
{
	const cJSON *item = item_of(child);
	return (struct json_node){item == NULL ? NULL : item->next};
}

struct slice json_node_key(struct json_node child)
{
	const cJSON *item = item_of(child);
	return slice_from_cstr(item == NULL ? NULL : item->string);
}

size_t json_node_count(struct json_node parent)
{
	size_t count = 0;
	for (struct json_node child = json_node_first(parent); child.item_or_null != NULL;
	     child = json_node_next(child))
		count++;
	return count;
}

struct slice json_node_string(struct json_node node)
{
	if (json_node_type(node) != JSON_TYPE_STRING)
		return (struct slice){NULL, 0};
	return slice_from_cstr(item_of(node)->valuestring);
}

bool json_node_bool(struct json_node node)
{
	return json_node_type(node) == JSON_TYPE_BOOL && (item_of(node)->type & cJSON_True) != 0;
}

double json_node_double(struct json_node node)
{
	return json_node_type(node) == JSON_TYPE_NUMBER ? item_of(node)->valuedouble : 0.0;
}

bool json_node_i64(struct json_node node, int64_t *out)
{
	if (json_node_type(node) != JSON_TYPE_NUMBER)
		return false;
	const cJSON *item = item_of(node);
	if (item->valuestring != NULL)
		return text_to_i64(slice_from_cstr(item->valuestring), out);
	return checked_i64_from_double(item->valuedouble, out);
}

struct slice json_node_print(struct json_node node, struct arena *arena, size_t bytes_max)
{
	const cJSON *item = item_of(node);
	if (item == NULL)
		return (struct slice){NULL, 0};
	struct buffer text;
	struct json_writer w;
	/* Printing stops at the limit; the last string may pass it, with six bytes for one. */
	buffer_init(&text, PRINT_BYTES_MIN + 8 * bytes_max);
	json_writer_init(&w, &text);
	bool complete = print_tree(&w, item, bytes_max) && text.len <= bytes_max;
	char *copy = text.failed ? NULL : arena_try_alloc(arena, text.len + 1, 1);
	size_t len = text.len;
	if (copy != NULL && len > 0)
		memcpy(copy, text.ptr_or_null, len);
	buffer_deinit(&text);
	if (copy == NULL)
		arena_exhausted(arena);
	if (complete)
		return slice_make(copy, len);
	struct slice mark = bytes_max < ELLIPSIS.len ? SLICE("") : ELLIPSIS;
	struct slice cut = slice_first(slice_make(copy, len), bytes_max - mark.len);
	return arena_concat(arena, slice_utf8_first(cut, cut.len), mark);
}

static void *hook_malloc(size_t bytes)
{
	return hook_arena == NULL ? NULL : arena_try_alloc(hook_arena, bytes, 1);
}

static void hook_free(void *memory)
{
	(void)memory; /* dies with the arena */
}

/* Checks the text and learns what the tree will need: does any number need its text, and is the
 * whole value one string? */
static bool scan(struct slice text, bool *needs_texts_out, bool *is_string_out, struct error *err)
{
	struct json_scanner s;
	bool needs_texts = false;
	enum json_token first = JSON_END;
	json_scanner_init(&s, text);
	for (;;) {
		enum json_token token = json_scan_next(&s);
		if (token == JSON_ERROR)
			return error_set(err, ERR_BAD_REQUEST,
					 "The body is not valid JSON: %s at byte %zu.",
					 s.error_text_or_null, s.offset);
		if (token == JSON_END)
			break;
		if (first == JSON_END)
			first = token;
		if (token == JSON_NUMBER && needs_text(s.raw))
			needs_texts = true;
	}
	*needs_texts_out = needs_texts;
	*is_string_out = first == JSON_STRING;
	return true;
}

static bool needs_text(struct slice number)
{
	size_t whole_digits = number.ptr[0] == '-' ? 1 : 0;
	size_t sign_bytes = whole_digits;
	while (whole_digits < number.len && number.ptr[whole_digits] >= '0' &&
	       number.ptr[whole_digits] <= '9')
		whole_digits++;
	if (whole_digits - sign_bytes > EXACT_DIGITS_MAX)
		return true;
	if (whole_digits == number.len)
		return false;
	size_t e = slice_find_byte(number, 'e', whole_digits);
	if (e == number.len)
		e = slice_find_byte(number, 'E', whole_digits);
	return e < number.len && number.ptr[e + 1] != '-';
}

static bool build(struct slice text, struct arena *arena, cJSON **out, struct error *err)
{
	hook_arena = arena;
	cJSON *root = cJSON_ParseWithLengthOpts(text.ptr, text.len, NULL, 0);
	hook_arena = NULL;
	/* The scan accepted the text, so that only memory can be missing. */
	if (root == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE,
				 "The body of %zu bytes needs more memory than a request may use.",
				 text.len);
	*out = root;
	return true;
}

/* Hangs the text of each number that needs it on its item: cJSON leaves valuestring of numbers
 * alone. Items and tokens come in the same order. */
static void attach_texts(cJSON *root, struct slice text, struct arena *arena)
{
	cJSON *parents[JSON_SCANNER_DEPTH_MAX];
	unsigned depth = 0;
	struct json_scanner s;
	json_scanner_init(&s, text);
	for (cJSON *item = root; item != NULL; item = next_in_document(item, parents, &depth)) {
		if ((item->type & 0xFF) != cJSON_Number)
			continue;
		enum json_token token;
		do {
			token = json_scan_next(&s);
			ASSERT(token != JSON_ERROR && token != JSON_END);
		} while (token != JSON_NUMBER);
		if (needs_text(s.raw))
			item->valuestring = arena_cstr(arena, s.raw);
	}
}

/* The item after this one in the order of the text; `parents` are those of the levels above. */
static cJSON *next_in_document(cJSON *item, cJSON **parents, unsigned *depth)
{
	if (item->child != NULL) {
		ASSERT(*depth < JSON_SCANNER_DEPTH_MAX);
		parents[(*depth)++] = item;
		return item->child;
	}
	while (item->next == NULL) {
		if (*depth == 0)
			return NULL;
		item = parents[--*depth];
	}
	return *depth == 0 ? NULL : item->next;
}

/* Exact: the digits without point and trailing zeros, times a power of ten that is not negative. */
static bool text_to_i64(struct slice text, int64_t *out)
{
	char digits[JSON_SCANNER_NUMBER_BYTES_MAX + 32];
	size_t len = 0, at = 0;
	int64_t exponent = 0, written_exponent = 0;
	bool after_point = false;
	if (text.ptr[0] == '-')
		digits[len++] = text.ptr[at++];
	size_t first_digit = len;
	for (; at < text.len && text.ptr[at] != 'e' && text.ptr[at] != 'E'; at++) {
		if (text.ptr[at] == '.') {
			after_point = true;
			continue;
		}
		exponent -= after_point;
		if (len > first_digit || text.ptr[at] != '0')
			digits[len++] = text.ptr[at];
	}
	if (at < text.len) {
		at += text.ptr[at + 1] == '+' ? 2 : 1;
		if (!slice_parse_i64(slice_from(text, at), &written_exponent) ||
		    !checked_add_i64(exponent, written_exponent, &exponent))
			return false;
	}
	for (; len > first_digit && digits[len - 1] == '0'; len--)
		exponent++;
	if (len == first_digit) {
		*out = 0;
		return true;
	}
	if (exponent < 0 || exponent > I64_DIGITS_MAX)
		return false;
	for (; exponent > 0; exponent--)
		digits[len++] = '0';
	return slice_parse_i64(slice_make(digits, len), out);
}

static const cJSON *item_of(struct json_node node)
{
	return node.item_or_null;
}

/* False when it stopped behind `bytes_max` bytes. */
static bool print_tree(struct json_writer *w, const cJSON *root, size_t bytes_max)
{
	const cJSON *parents[JSON_SCANNER_DEPTH_MAX];
	unsigned depth = 0;
	const cJSON *item = root;
	while (item != NULL) {
		if (w->out->len > bytes_max || !print_item(w, item, item != root, bytes_max))
			return false;
		if (item->child != NULL) {
			ASSERT(depth < JSON_SCANNER_DEPTH_MAX);
			parents[depth++] = item;
			item = item->child;
			continue;
		}
		if (is_container(item))
			end_container(w, item);
		while (depth > 0 && item->next == NULL) {
			item = parents[--depth];
			end_container(w, item);
		}
		item = depth == 0 ? NULL : item->next;
	}
	return true;
}

/* A value, or the begin of a container. False when it was cut. */
static bool print_item(struct json_writer *w, const cJSON *item, bool is_child, size_t bytes_max)
{
	struct slice text = slice_from_cstr(item->valuestring);
	struct slice cut = slice_utf8_first(text, bytes_max);
	struct slice key = slice_from_cstr(is_child ? item->string : NULL);
	int64_t whole;
	if (slice_is_present(key)) {
		json_key_slice(w, slice_utf8_first(key, bytes_max));
		if (w->out->len > bytes_max)
			return false;
	}
	switch (item->type & 0xFF) {
	case cJSON_NULL:
		json_null(w);
		return true;
	case cJSON_True:
	case cJSON_False:
		json_bool(w, (item->type & cJSON_True) != 0);
		return true;
	case cJSON_Number:
		if (text.len > 0)
			json_raw(w, text);
		else if (checked_i64_from_double(item->valuedouble, &whole))
			json_int(w, whole);
		else
			json_double(w, item->valuedouble);
		return true;
	case cJSON_String:
		json_string(w, cut);
		return cut.len == text.len;
	case cJSON_Array:
		json_array_begin(w);
		return true;
	default:
		json_object_begin(w);
		return true;
	}
}

static bool is_container(const cJSON *item)
{
	return (item->type & (cJSON_Array | cJSON_Object)) != 0;
}

static void end_container(struct json_writer *w, const cJSON *item)
{
	if (item->type & cJSON_Array)
		json_array_end(w);
	else
		json_object_end(w);
}
