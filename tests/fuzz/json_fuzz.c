/* Fuzzes everything that reads JSON: the scanner, the tree for replies and the reader for bodies must
 * accept the same texts, see the same values in them, and read back what the writer writes. */
#include <math.h>
#include <stdlib.h>

#include "base/json_scanner.h"
#include "base/json_writer.h"
#include "json/json_reader.h"

enum { ARENA_BYTES_MAX = 512 * 1024 * 1024, TEXT_BYTES_MAX = 64 * 1024 * 1024 };

static bool scan(struct slice text);
static bool skip(struct slice text);
static bool is_inside(struct slice part, struct slice text);
static void check_same(const struct json_value *value, struct json_node node);
static void check_same_number(const struct json_value *value, struct json_node node);
static void check_round_trip(const struct json_value *value, struct arena *arena);
static void check_print(struct json_node node, size_t bytes_max, struct arena *arena);
static void write_value(struct json_writer *w, const struct json_value *value);

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	json_reader_setup();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};
	struct arena arena;
	struct json_value *tree = NULL;
	struct json_node root = {NULL};
	struct error err;
	arena_init(&arena, ARENA_BYTES_MAX);
	bool accepted = scan(text);
	ASSERT(json_tree_parse(text, &arena, &tree, &err) == accepted);
	ASSERT(skip(text) == accepted);
	bool read = json_read(text, &arena, &root, &err);
	bool is_string = accepted && tree->kind == JSON_KIND_STRING;
	bool is_blank = slice_trim(text).len == 0;
	/* The reader's two liberties: nothing is {}, and a string may hold an object. */
	ASSERT(read == accepted || is_blank || is_string);
	if (accepted && json_node_type(root) != JSON_TYPE_ABSENT && !is_string)
		check_same(tree, root);
	if (accepted)
		check_round_trip(tree, &arena);
	if (read)
		check_print(root, size / 2, &arena);
	arena_deinit(&arena);
	return 0;
}

static bool scan(struct slice text)
{
	struct json_scanner s;
	enum json_token token;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES_MAX);
	json_scanner_init(&s, text);
	while ((token = json_scan_next(&s)) > JSON_END) {
		ASSERT(s.offset <= text.len && s.depth <= JSON_SCANNER_DEPTH_MAX);
		if (token == JSON_KEY || token == JSON_STRING || token == JSON_NUMBER)
			ASSERT(is_inside(s.raw, text));
		if (token == JSON_KEY || token == JSON_STRING) {
			struct slice resolved = json_scan_text(&s, &arena);
			ASSERT(resolved.len <= s.raw.len && slice_is_utf8(resolved));
			ASSERT(slice_find_byte(resolved, '\0', 0) == resolved.len);
		}
	}
	ASSERT(s.offset <= text.len);
	ASSERT((token == JSON_ERROR) == (s.error_text_or_null != NULL));
	ASSERT(json_scan_next(&s) == token);
	arena_deinit(&arena);
	return token == JSON_END;
}

/* Passes over the members of the outermost level. */
static bool skip(struct slice text)
{
	struct json_scanner s;
	enum json_token token;
	json_scanner_init(&s, text);
	while ((token = json_scan_next(&s)) > JSON_END) {
		bool can_skip = token == JSON_KEY ||
				(s.depth > 1 && (token == JSON_OBJECT_BEGIN || token == JSON_ARRAY_BEGIN));
		if (can_skip && !json_scan_skip(&s))
			return false;
	}
	return token == JSON_END;
}

static bool is_inside(struct slice part, struct slice text)
{
	return part.ptr >= text.ptr && part.ptr + part.len <= text.ptr + text.len;
}

/* Recursion is as deep as the scanner allows. */
static void check_same(const struct json_value *value, struct json_node node)
{
	static const enum json_type types[] = {
		[JSON_KIND_NULL] = JSON_TYPE_NULL,     [JSON_KIND_BOOL] = JSON_TYPE_BOOL,
		[JSON_KIND_NUMBER] = JSON_TYPE_NUMBER, [JSON_KIND_STRING] = JSON_TYPE_STRING,
		[JSON_KIND_ARRAY] = JSON_TYPE_ARRAY,   [JSON_KIND_OBJECT] = JSON_TYPE_OBJECT,
	};
	ASSERT(json_node_type(node) == types[value->kind]);
	ASSERT(json_node_count(node) == value->child_count);
	if (value->kind == JSON_KIND_STRING)
		ASSERT(slice_eq(json_node_string(node), value->text));
	if (value->kind == JSON_KIND_BOOL)
		ASSERT(json_node_bool(node) == value->boolean);
	if (value->kind == JSON_KIND_NUMBER)
		check_same_number(value, node);
	struct json_node other = json_node_first(node);
	for (const struct json_value *child = value->first_child_or_null; child != NULL;
	     child = child->next_sibling_or_null) {
		if (value->kind == JSON_KIND_OBJECT) {
			ASSERT(slice_eq(json_node_key(other), child->key));
			ASSERT(json_node_member(node, child->key).item_or_null != NULL);
		}
		check_same(child, other);
		other = json_node_next(other);
	}
	ASSERT(other.item_or_null == NULL);
}

static void check_same_number(const struct json_value *value, struct json_node node)
{
	double real = json_node_double(node), expected = json_tree_double(value, (double)NAN);
	int64_t whole = 0, expected_whole = 0;
	ASSERT(memcmp(&real, &expected, sizeof(real)) == 0);
	bool is_whole = json_node_i64(node, &whole);
	if (slice_parse_i64(value->text, &expected_whole))
		ASSERT(is_whole && whole == expected_whole);
	if (is_whole)
		ASSERT((double)whole == expected);
}

/* What the writer writes is read back, and written the same. */
static void check_round_trip(const struct json_value *value, struct arena *arena)
{
	struct buffer texts[2];
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
		struct json_writer w;
		struct json_value *again = NULL;
		struct error err;
		buffer_init(&texts[i], TEXT_BYTES_MAX);
		json_writer_init(&w, &texts[i]);
		write_value(&w, value);
		ASSERT(json_writer_is_complete(&w) && !texts[i].failed);
		bool ok = json_tree_parse(buffer_slice(&texts[i]), arena, &again, &err);
		ASSERT(ok);
		value = again;
	}
	ASSERT(slice_eq(buffer_slice(&texts[0]), buffer_slice(&texts[1])));
	buffer_deinit(&texts[0]);
	buffer_deinit(&texts[1]);
}

static void check_print(struct json_node node, size_t bytes_max, struct arena *arena)
{
	struct json_node again = {NULL};
	struct error err;
	struct slice whole = json_node_print(node, arena, TEXT_BYTES_MAX / 16);
	ASSERT(scan(whole));
	/* A string that holds an object would be decoded once more. */
	if (json_node_type(node) != JSON_TYPE_STRING) {
		bool ok = json_read(whole, arena, &again, &err);
		ASSERT(ok);
		ASSERT(slice_eq(json_node_print(again, arena, TEXT_BYTES_MAX / 16), whole));
	}
	struct slice cut = json_node_print(node, arena, bytes_max);
	ASSERT(cut.len <= bytes_max && slice_is_utf8(cut));
	ASSERT(whole.len > bytes_max || slice_eq(cut, whole));
}

static void write_value(struct json_writer *w, const struct json_value *value)
{
	bool is_object = value->kind == JSON_KIND_OBJECT;
	switch (value->kind) {
	case JSON_KIND_NULL:
		json_null(w);
		return;
	case JSON_KIND_BOOL:
		json_bool(w, value->boolean);
		return;
	case JSON_KIND_NUMBER:
		json_double(w, json_tree_double(value, 0));
		return;
	case JSON_KIND_STRING:
		json_string(w, value->text);
		return;
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
		break;
	}
	if (is_object)
		json_object_begin(w);
	else
		json_array_begin(w);
	for (const struct json_value *child = value->first_child_or_null; child != NULL;
	     child = child->next_sibling_or_null) {
		if (is_object)
			json_key_slice(w, child->key);
		write_value(w, child);
	}
	if (is_object)
		json_object_end(w);
	else
		json_array_end(w);
}
