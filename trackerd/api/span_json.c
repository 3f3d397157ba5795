/* Owns the way of spans from stored JSON to OpenTelemetry's. */
#include "api/span_json.h"

enum { ID_BYTES_MAX = 16, BASE64_BYTES_MAX = (ID_BYTES_MAX + 2) / 3 * 4 + 1 };

static void put_span(struct json_writer *w, const struct json_value *span, struct arena *arena);
static void put_ids(struct json_writer *w, const struct json_value *span);
static void put_id(struct json_writer *w, const char *key, const struct json_value *base64,
		   const struct json_value *hex);
static bool base64_of_hex(struct slice hex, char base64[BASE64_BYTES_MAX]);
static void put_time(struct json_writer *w, const char *key, const struct json_value *value,
		     const struct json_value *otherwise);
static void put_status(struct json_writer *w, const struct json_value *span);
static void put_events(struct json_writer *w, const struct json_value *events);
static void put_links(struct json_writer *w, const struct json_value *links);
static void put_serialized(struct json_writer *w, const struct json_value *attributes,
			   struct arena *arena);
static void put_attributes(struct json_writer *w, const struct json_value *attributes);
static void put_key_value(struct json_writer *w, const struct json_value *member,
			  const struct json_value *value);
static void put_value(struct json_writer *w, const struct json_value *value, unsigned depth);
static void put_number(struct json_writer *w, struct slice text);
static void put_items(struct json_writer *w, const struct json_value *container, unsigned depth);
static unsigned nesting(const struct json_value *value, unsigned depth);

static bool is_kind(const struct json_value *value_or_null, enum json_kind kind)
{
	return value_or_null != NULL && value_or_null->kind == kind;
}

static const struct json_value *first_of(const struct json_value *value_or_null,
					 enum json_kind kind)
{
	return is_kind(value_or_null, kind) ? value_or_null->first_child_or_null : NULL;
}

bool span_json_parse(struct slice traces_json, struct arena *arena,
		     const struct json_value **spans_out, struct error *err)
{
	struct json_value *root;
	struct error reason;
	if (!json_tree_parse(traces_json, arena, &root, &reason) ||
	    root->kind != JSON_KIND_OBJECT)
		return error_set(err, ERR_BAD_REQUEST,
				 "The trace cannot be loaded because its span data is corrupted.");
	*spans_out = json_tree_get(root, "spans");
	return true;
}

void span_json_put(struct json_writer *w, const struct json_value *spans_or_null,
		   struct arena *arena)
{
	const struct json_value *span = first_of(spans_or_null, JSON_KIND_ARRAY);
	if (span == NULL)
		return;
	json_key(w, "spans");
	json_array_begin(w);
	for (; span != NULL; span = span->next_sibling_or_null)
		put_span(w, span, arena);
	json_array_end(w);
}

static void put_span(struct json_writer *w, const struct json_value *span, struct arena *arena)
{
	json_object_begin(w);
	put_ids(w, span);
	json_put_string(w, "name", json_tree_string(json_tree_get(span, "name"), SLICE("")));
	put_time(w, "start_time_unix_nano", json_tree_get(span, "start_time_unix_nano"),
		 json_tree_get(span, "start_time"));
	put_time(w, "end_time_unix_nano", json_tree_get(span, "end_time_unix_nano"),
		 json_tree_get(span, "end_time"));
	put_serialized(w, json_tree_get(span, "attributes"), arena);
	put_events(w, json_tree_get(span, "events"));
	put_links(w, json_tree_get(span, "links"));
	put_status(w, span);
	json_object_end(w);
}

/* ---- ids and times ------------------------------------------------------------------------------ */

static void put_ids(struct json_writer *w, const struct json_value *span)
{
	put_id(w, "trace_id", json_tree_get(span, "trace_id"),
	       json_tree_path(span, "context.trace_id"));
	put_id(w, "span_id", json_tree_get(span, "span_id"),
	       json_tree_path(span, "context.span_id"));
	put_id(w, "parent_span_id", json_tree_get(span, "parent_span_id"),
	       json_tree_get(span, "parent_id"));
}

static void put_id(struct json_writer *w, const char *key, const struct json_value *base64,
		   const struct json_value *hex)
{
	char text[BASE64_BYTES_MAX];
	if (is_kind(base64, JSON_KIND_STRING) && base64->text.len > 0)
		json_put_string(w, key, base64->text);
	else if (is_kind(hex, JSON_KIND_STRING) && base64_of_hex(hex->text, text))
		json_put_cstr(w, key, text);
}

/* With "0x" or "tr-" in front, or without. */
static bool base64_of_hex(struct slice hex, char base64[BASE64_BYTES_MAX])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char bytes[ID_BYTES_MAX + 2] = {0};
	size_t len = 0;
	if (slice_starts_with(hex, SLICE("0x")))
		hex = slice_from(hex, 2);
	else if (slice_starts_with(hex, SLICE("tr-")))
		hex = slice_from(hex, 3);
	if (hex.len == 0 || hex.len % 2 != 0 || hex.len / 2 > ID_BYTES_MAX)
		return false;
	for (size_t i = 0; i < hex.len; i += 2) {
		int high = slice_hex_digit(hex.ptr[i]), low = slice_hex_digit(hex.ptr[i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i / 2] = (unsigned char)(high * 16 + low);
	}
	size_t byte_count = hex.len / 2;
	for (size_t i = 0; i < byte_count; i += 3) {
		unsigned group = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 |
				 bytes[i + 2];
		base64[len++] = digits[group >> 18];
		base64[len++] = digits[group >> 12 & 63];
		base64[len++] = i + 1 < byte_count ? digits[group >> 6 & 63] : '=';
		base64[len++] = i + 2 < byte_count ? digits[group & 63] : '=';
	}
	base64[len] = '\0';
	return true;
}

/* Nanoseconds: the digits as they are. */
static void put_time(struct json_writer *w, const char *key, const struct json_value *value,
		     const struct json_value *otherwise)
{
	const struct json_value *given = value != NULL ? value : otherwise;
	if (!is_kind(given, JSON_KIND_NUMBER))
		return;
	json_key(w, key);
	json_raw(w, given->text);
}

/* ---- status, events, links ---------------------------------------------------------------------- */

/* "OK" of older clients is "STATUS_CODE_OK". What is not set is left out. */
static void put_status(struct json_writer *w, const struct json_value *span)
{
	static const struct {
		const char *given, *code;
	} codes[] = {
		{"OK", "STATUS_CODE_OK"},
		{"STATUS_CODE_OK", "STATUS_CODE_OK"},
		{"ERROR", "STATUS_CODE_ERROR"},
		{"STATUS_CODE_ERROR", "STATUS_CODE_ERROR"},
	};
	const struct json_value *status = json_tree_get(span, "status");
	const struct json_value *code_of = status != NULL ? json_tree_get(status, "code")
							  : json_tree_get(span, "status_code");
	const struct json_value *message_of = status != NULL
						      ? json_tree_get(status, "message")
						      : json_tree_get(span, "status_message");
	struct slice message = json_tree_string(message_of, SLICE(""));
	json_key(w, "status");
	json_object_begin(w);
	if (message.len > 0)
		json_put_string(w, "message", message);
	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		if (slice_eq_cstr(json_tree_string(code_of, SLICE("")), codes[i].given))
			json_put_cstr(w, "code", codes[i].code);
	}
	json_object_end(w);
}

static void put_events(struct json_writer *w, const struct json_value *events)
{
	const struct json_value *event = first_of(events, JSON_KIND_ARRAY);
	if (event == NULL)
		return;
	json_key(w, "events");
	json_array_begin(w);
	for (; event != NULL; event = event->next_sibling_or_null) {
		json_object_begin(w);
		put_time(w, "time_unix_nano", json_tree_get(event, "time_unix_nano"),
			 json_tree_get(event, "timestamp"));
		json_put_string(w, "name",
				json_tree_string(json_tree_get(event, "name"), SLICE("")));
		put_attributes(w, json_tree_get(event, "attributes"));
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_links(struct json_writer *w, const struct json_value *links)
{
	const struct json_value *link = first_of(links, JSON_KIND_ARRAY);
	if (link == NULL)
		return;
	json_key(w, "links");
	json_array_begin(w);
	for (; link != NULL; link = link->next_sibling_or_null) {
		json_object_begin(w);
		put_id(w, "trace_id", NULL, json_tree_get(link, "trace_id"));
		put_id(w, "span_id", NULL, json_tree_get(link, "span_id"));
		put_attributes(w, json_tree_get(link, "attributes"));
		json_object_end(w);
	}
	json_array_end(w);
}

/* ---- attributes --------------------------------------------------------------------------------- */

/* Attributes whose values are texts that hold JSON. */
static void put_serialized(struct json_writer *w, const struct json_value *attributes,
			   struct arena *arena)
{
	const struct json_value *member = first_of(attributes, JSON_KIND_OBJECT);
	if (member == NULL)
		return;
	json_key(w, "attributes");
	json_array_begin(w);
	for (; member != NULL; member = member->next_sibling_or_null) {
		struct json_value *value;
		struct error ignored;
		bool holds_json = member->kind == JSON_KIND_STRING &&
				  json_tree_parse(member->text, arena, &value, &ignored);
		put_key_value(w, member, holds_json ? value : member);
	}
	json_array_end(w);
}

static void put_attributes(struct json_writer *w, const struct json_value *attributes)
{
	const struct json_value *member = first_of(attributes, JSON_KIND_OBJECT);
	if (member == NULL)
		return;
	json_key(w, "attributes");
	json_array_begin(w);
	for (; member != NULL; member = member->next_sibling_or_null)
		put_key_value(w, member, member);
	json_array_end(w);
}

/* A null has no value. */
static void put_key_value(struct json_writer *w, const struct json_value *member,
			  const struct json_value *value)
{
	json_object_begin(w);
	json_put_string(w, "key", member->key);
	if (value->kind != JSON_KIND_NULL) {
		json_key(w, "value");
		if (nesting(value, 0) <= SPAN_VALUE_NESTING_MAX) {
			put_value(w, value, 0);
		} else {
			json_object_begin(w);
			json_put_string(w, "string_value", value->text);
			json_object_end(w);
		}
	}
	json_object_end(w);
}

/* Containers below each other, counted up to one more than SPAN_VALUE_NESTING_MAX. */
static unsigned nesting(const struct json_value *value, unsigned depth)
{
	bool is_container = value->kind == JSON_KIND_ARRAY || value->kind == JSON_KIND_OBJECT;
	unsigned deepest = depth + is_container;
	if (deepest > SPAN_VALUE_NESTING_MAX || !is_container)
		return deepest;
	const struct json_value *child = value->first_child_or_null;
	for (; child != NULL; child = child->next_sibling_or_null) {
		unsigned below = nesting(child, depth + 1);
		deepest = below > deepest ? below : deepest;
	}
	return deepest;
}

/* An AnyValue. Depth is bounded: nesting() was asked before. */
static void put_value(struct json_writer *w, const struct json_value *value, unsigned depth)
{
	ASSERT(depth <= SPAN_VALUE_NESTING_MAX);
	json_object_begin(w);
	switch (value->kind) {
	case JSON_KIND_NULL:
		break;
	case JSON_KIND_BOOL:
		json_put_bool(w, "bool_value", value->boolean);
		break;
	case JSON_KIND_NUMBER:
		put_number(w, value->text);
		break;
	case JSON_KIND_STRING:
		json_put_string(w, "string_value", value->text);
		break;
	case JSON_KIND_ARRAY:
	case JSON_KIND_OBJECT:
	default:
		put_items(w, value, depth + 1);
		break;
	}
	json_object_end(w);
}

/* An int64 is one if it is written as one. */
static void put_number(struct json_writer *w, struct slice text)
{
	int64_t integer;
	double real = 0;
	if (slice_parse_i64(text, &integer))
		json_put_int(w, "int_value", integer);
	else if (slice_parse_double(text, &real))
		json_put_double(w, "double_value", real);
}

static void put_items(struct json_writer *w, const struct json_value *container, unsigned depth)
{
	bool is_object = container->kind == JSON_KIND_OBJECT;
	const struct json_value *item = container->first_child_or_null;
	json_key(w, is_object ? "kvlist_value" : "array_value");
	json_object_begin(w);
	if (item != NULL) {
		json_key(w, "values");
		json_array_begin(w);
		for (; item != NULL; item = item->next_sibling_or_null) {
			if (!is_object) {
				put_value(w, item, depth);
				continue;
			}
			json_object_begin(w);
			json_put_string(w, "key", item->key);
			if (item->kind != JSON_KIND_NULL) {
				json_key(w, "value");
				put_value(w, item, depth);
			}
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}
