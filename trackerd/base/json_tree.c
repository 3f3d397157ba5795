/* Owns the small JSON tree that readers of replies walk. */
#include "base/json_scanner.h"

#include "base/checked.h"

/* The levels that are open, with the place where the next child is hung. */
struct builder {
	struct json_scanner scanner;
	struct arena *arena;
	unsigned depth;
	struct {
		struct json_value *value;
		struct json_value **next_child;
		size_t start_offset;
	} levels[JSON_SCANNER_DEPTH_MAX];
	struct slice key; /* of the next value, when its parent is an object */
	struct json_value *root;
};

static void build(struct builder *b, enum json_token token);
static struct json_value *add_value(struct builder *b, enum json_kind kind, struct slice text);
static bool number_text(const struct json_value *value_or_null, struct slice *text_out);

bool json_tree_parse(struct slice text, struct arena *arena, struct json_value **out,
		     struct error *err)
{
	struct builder b = {.arena = arena};
	json_scanner_init(&b.scanner, text);
	for (;;) {
		enum json_token token = json_scan_next(&b.scanner);
		if (token == JSON_ERROR)
			return error_set(err, ERR_BAD_REQUEST, "Not JSON: %s at byte %zu.",
					 b.scanner.error_text_or_null, b.scanner.offset);
		if (token == JSON_END)
			break;
		build(&b, token);
	}
	*out = b.root;
	return true;
}

const struct json_value *json_tree_get(const struct json_value *object_or_null, const char *key)
{
	if (object_or_null == NULL || object_or_null->kind != JSON_KIND_OBJECT)
		return NULL;
	struct slice wanted = slice_from_cstr(key);
	const struct json_value *child = object_or_null->first_child_or_null;
	while (child != NULL && !slice_eq(child->key, wanted))
		child = child->next_sibling_or_null;
	return child;
}

const struct json_value *json_tree_path(const struct json_value *object_or_null, const char *path)
{
	const struct json_value *at = object_or_null;
	struct slice rest = slice_from_cstr(path), name;
	while (at != NULL && slice_next(&rest, '.', &name)) {
		const struct json_value *child =
			at->kind == JSON_KIND_OBJECT ? at->first_child_or_null : NULL;
		while (child != NULL && !slice_eq(child->key, name))
			child = child->next_sibling_or_null;
		at = child;
	}
	return at;
}

struct slice json_tree_string(const struct json_value *value_or_null, struct slice otherwise)
{
	if (value_or_null == NULL || value_or_null->kind != JSON_KIND_STRING)
		return otherwise;
	return value_or_null->text;
}

int64_t json_tree_i64(const struct json_value *value_or_null, int64_t otherwise)
{
	struct slice text;
	int64_t value;
	double real;
	if (!number_text(value_or_null, &text))
		return otherwise;
	if (slice_parse_i64(text, &value))
		return value;
	if (slice_parse_double(text, &real) && checked_i64_from_double(real, &value))
		return value;
	return otherwise;
}

double json_tree_double(const struct json_value *value_or_null, double otherwise)
{
	struct slice text;
	double value;
	if (number_text(value_or_null, &text) && slice_parse_double(text, &value))
		return value;
	return otherwise;
}

bool json_tree_bool(const struct json_value *value_or_null, bool otherwise)
{
	if (value_or_null == NULL || value_or_null->kind != JSON_KIND_BOOL)
		return otherwise;
	return value_or_null->boolean;
}

static void build(struct builder *b, enum json_token token)
{
	struct json_scanner *s = &b->scanner;
	switch (token) {
	case JSON_OBJECT_BEGIN:
	case JSON_ARRAY_BEGIN: {
		bool is_object = token == JSON_OBJECT_BEGIN;
		struct json_value *value = add_value(
			b, is_object ? JSON_KIND_OBJECT : JSON_KIND_ARRAY, (struct slice){NULL, 0});
		b->levels[b->depth].value = value;
		b->levels[b->depth].next_child = &value->first_child_or_null;
		b->levels[b->depth].start_offset = s->offset - 1;
		b->depth++;
		break;
	}
	case JSON_OBJECT_END:
	case JSON_ARRAY_END: {
		b->depth--;
		size_t start = b->levels[b->depth].start_offset;
		b->levels[b->depth].value->text =
			slice_make(s->text.ptr + start, s->offset - start);
		break;
	}
	case JSON_KEY:
		b->key = json_scan_text(s, b->arena);
		break;
	case JSON_STRING:
		add_value(b, JSON_KIND_STRING, json_scan_text(s, b->arena));
		break;
	case JSON_NUMBER:
		add_value(b, JSON_KIND_NUMBER, s->raw);
		break;
	case JSON_TRUE:
		add_value(b, JSON_KIND_BOOL, SLICE("true"))->boolean = true;
		break;
	case JSON_FALSE:
		add_value(b, JSON_KIND_BOOL, SLICE("false"));
		break;
	case JSON_NULL:
		add_value(b, JSON_KIND_NULL, SLICE("null"));
		break;
	case JSON_ERROR:
	case JSON_END:
		break;
	}
}

static struct json_value *add_value(struct builder *b, enum json_kind kind, struct slice text)
{
	struct json_value *value = ARENA_NEW(b->arena, struct json_value, 1);
	value->kind = kind;
	value->text = text;
	if (b->depth == 0) {
		b->root = value;
		return value;
	}
	struct json_value *parent = b->levels[b->depth - 1].value;
	if (parent->kind == JSON_KIND_OBJECT)
		value->key = b->key;
	*b->levels[b->depth - 1].next_child = value;
	b->levels[b->depth - 1].next_child = &value->next_sibling_or_null;
	parent->child_count++;
	return value;
}

static bool number_text(const struct json_value *value_or_null, struct slice *text_out)
{
	if (value_or_null == NULL ||
	    (value_or_null->kind != JSON_KIND_NUMBER && value_or_null->kind != JSON_KIND_STRING))
		return false;
	*text_out = value_or_null->text;
	return true;
}
