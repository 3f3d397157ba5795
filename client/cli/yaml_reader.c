/* Owns the reading of YAML; knows libyaml's parser. */
#include "cli/yaml_reader.h"

#include <yaml.h>

/* A mapping or a sequence that is open. */
struct level {
	struct json_value *value;
	struct json_value *last_or_null; /* its last child */
	bool is_mapping;
	bool has_key; /* a key was read, its value is due */
	struct slice key;
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	struct level levels[YAML_READER_DEPTH_MAX];
	unsigned depth;
	struct json_value *root_or_null;
};

static bool fail(const yaml_event_t *event, const char *reason, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST, "line %zu: %s", event->start_mark.line + 1, reason);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static bool is_one_of(struct slice text, const char *const *words)
{
	while (*words != NULL && !slice_eq_cstr(text, *words))
		words++;
	return *words != NULL;
}

/* What a plain word is; MLflow writes no others than these. */
static void resolve_plain(struct json_value *value)
{
	static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
	static const char *const trues[] = {"true", "True", "TRUE", "yes", "Yes",
					    "YES",  "on",   "On",   "ON",  NULL};
	static const char *const falses[] = {"false", "False", "FALSE", "no",  "No",
					     "NO",    "off",   "Off",	"OFF", NULL};
	int64_t integer;
	double real;
	if (is_one_of(value->text, nulls)) {
		value->kind = JSON_KIND_NULL;
	} else if (is_one_of(value->text, trues) || is_one_of(value->text, falses)) {
		value->kind = JSON_KIND_BOOL;
		value->boolean = is_one_of(value->text, trues);
	} else if (slice_parse_i64(value->text, &integer) ||
		   (slice_find_byte(value->text, '.', 0) < value->text.len &&
		    slice_parse_double(value->text, &real))) { /* "1e3" is a text */
		value->kind = JSON_KIND_NUMBER;
	}
}

static bool is_standard_tag(const yaml_char_t *tag_or_null)
{
	static const struct slice standard = {"tag:yaml.org,2002:", 18};
	struct slice tag = slice_from_cstr((const char *)tag_or_null);
	if (tag_or_null == NULL || slice_eq_cstr(tag, "!"))
		return true;
	/* "python/object" and its kind are standard in name only. */
	return slice_starts_with(tag, standard) && slice_find_byte(tag, '/', 0) == tag.len;
}

/* ---- the tree -------------------------------------------------------------------------------- */

/* Puts a value where it belongs: a key that waits for its value, the next item, the root. */
static bool place(struct reader *r, const yaml_event_t *event, struct json_value *value,
		  struct error *err)
{
	if (r->depth == 0) {
		r->root_or_null = value;
		return true;
	}
	struct level *level = &r->levels[r->depth - 1];
	if (level->is_mapping && !level->has_key) {
		if (value->kind == JSON_KIND_ARRAY || value->kind == JSON_KIND_OBJECT)
			return fail(event, "a key is a list or a mapping", err);
		level->key = value->text;
		level->has_key = true;
		return true;
	}
	value->key = level->key;
	level->has_key = false;
	if (level->last_or_null == NULL)
		level->value->first_child_or_null = value;
	else
		level->last_or_null->next_sibling_or_null = value;
	level->last_or_null = value;
	level->value->child_count++;
	return true;
}

static bool take_scalar(struct reader *r, const yaml_event_t *event, struct error *err)
{
	struct json_value *value = ARENA_NEW(r->arena, struct json_value, 1);
	if (!is_standard_tag(event->data.scalar.tag) || event->data.scalar.anchor != NULL)
		return fail(event, "anchors and tags are not read", err);
	value->kind = JSON_KIND_STRING;
	value->text = arena_copy(r->arena, slice_make((const char *)event->data.scalar.value,
						      event->data.scalar.length));
	if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)
		resolve_plain(value);
	return place(r, event, value, err);
}

static bool open_level(struct reader *r, const yaml_event_t *event, bool is_mapping,
		       struct error *err)
{
	struct json_value *value = ARENA_NEW(r->arena, struct json_value, 1);
	const yaml_char_t *tag =
		is_mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	const yaml_char_t *anchor =
		is_mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	if (!is_standard_tag(tag) || anchor != NULL)
		return fail(event, "anchors and tags are not read", err);
	if (r->depth == YAML_READER_DEPTH_MAX)
		return fail(event, "nested too deeply", err);
	value->kind = is_mapping ? JSON_KIND_OBJECT : JSON_KIND_ARRAY;
	if (!place(r, event, value, err))
		return false;
	r->levels[r->depth++] = (struct level){.value = value, .is_mapping = is_mapping};
	return true;
}

static bool take(struct reader *r, const yaml_event_t *event, bool *end_out, struct error *err)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		return take_scalar(r, event, err);
	case YAML_MAPPING_START_EVENT:
		return open_level(r, event, true, err);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(r, event, false, err);
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		r->depth--;
		return true;
	case YAML_ALIAS_EVENT:
		return fail(event, "anchors and tags are not read", err);
	case YAML_DOCUMENT_END_EVENT:
	case YAML_STREAM_END_EVENT:
		*end_out = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		return true;
	}
	return true;
}

static bool read_events(struct reader *r, struct error *err)
{
	for (bool end = false; !end;) {
		yaml_event_t event;
		if (yaml_parser_parse(&r->parser, &event) == 0)
			return error_set(err, ERR_BAD_REQUEST, "line %zu: %s",
					 r->parser.problem_mark.line + 1,
					 r->parser.problem != NULL ? r->parser.problem : "no YAML");
		bool ok = take(r, &event, &end, err);
		yaml_event_delete(&event);
		if (!ok)
			return false;
	}
	return true;
}

bool yaml_read(struct slice text, struct arena *arena, struct json_value **out, struct error *err)
{
	struct reader r = {.arena = arena};
	if (yaml_parser_initialize(&r.parser) == 0)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&r.parser, (const unsigned char *)(text.len == 0 ? "" : text.ptr), text.len);
	bool ok = read_events(&r, err);
	yaml_parser_delete(&r.parser);
	if (!ok)
		return false;
	if (r.root_or_null == NULL)
		r.root_or_null = ARENA_NEW(arena, struct json_value, 1);
	*out = r.root_or_null;
	return true;
}
