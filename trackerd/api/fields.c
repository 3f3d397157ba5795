/* Owns the decoding of requests into C structs by tables of fields. */
#include "api/fields.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/checked.h"
#include "http/target.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/entities.h"

enum {
	VALUE_SHOWN_BYTES_MAX = 200,
	FIELD_NAME_BYTES_MAX = 64,
	/* Never cuts: a value is at most the body, and printing it anew lengthens a few numbers. */
	RAW_BYTES_MAX = 2 * BODY_BYTES_MAX,
};

/* Where in the request we are, for messages: metrics[0].timestamp. Linked through the stack. */
struct place {
	const struct place *parent_or_null;
	const char *name_or_null; /* NULL: an array item */
	size_t index;
};

static bool decode_object(const struct field *fields, struct json_node object, struct arena *arena,
			  void *target, const struct place *place, struct error *err);

static struct slice place_text(const struct place *place, struct arena *arena)
{
	if (place == NULL)
		return SLICE("");
	struct slice parent = place_text(place->parent_or_null, arena);
	if (place->name_or_null == NULL)
		return arena_printf(arena, "%.*s[%zu]", SLICE_FMT(parent), place->index);
	return arena_printf(arena, "%.*s%s%s", SLICE_FMT(parent), parent.len > 0 ? "." : "",
			    place->name_or_null);
}

bool fields_error_missing(struct error *err, const char *name)
{
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Missing value for required parameter '%s'. See the API docs for more information "
		"about request parameters.",
		name);
}

static bool error_invalid(struct json_node node, const char *expected, const struct place *place,
			  struct arena *arena, struct error *err)
{
	static const char *const type_names[] = {
		[JSON_TYPE_ABSENT] = "nothing", [JSON_TYPE_NULL] = "null",
		[JSON_TYPE_BOOL] = "bool",	[JSON_TYPE_NUMBER] = "number",
		[JSON_TYPE_STRING] = "string",	[JSON_TYPE_ARRAY] = "array",
		[JSON_TYPE_OBJECT] = "object",
	};
	struct slice value = json_node_print(node, arena, VALUE_SHOWN_BYTES_MAX);
	struct slice name = place_text(place, arena);
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Invalid value %.*s for parameter '%.*s' supplied. Hint: Value was of type '%s', "
		"expected %s. See the API docs for more information about request parameters.",
		SLICE_FMT(value), SLICE_FMT(name), type_names[json_node_type(node)], expected);
}

/* ---- one value ---------------------------------------------------------------------------------- */

/* An int64 from text as clients send it: "17", and from R also "1.7e+12". */
static bool i64_from_text(struct slice text, int64_t *out)
{
	double number;
	if (slice_parse_i64(text, out))
		return true;
	return slice_parse_double(text, &number) && checked_i64_from_double(number, out);
}

static bool decode_i64(struct json_node node, struct opt_i64 *out)
{
	enum json_type type = json_node_type(node);
	out->is_set = type == JSON_TYPE_NUMBER ? json_node_i64(node, &out->value)
		      : type == JSON_TYPE_STRING
			      ? i64_from_text(json_node_string(node), &out->value)
			      : false;
	return out->is_set;
}

static bool decode_double(struct json_node node, struct opt_double *out)
{
	enum json_type type = json_node_type(node);
	if (type == JSON_TYPE_NUMBER) {
		out->value = json_node_double(node);
		out->is_set = true;
	} else if (type == JSON_TYPE_STRING) {
		out->is_set = slice_parse_double(json_node_string(node), &out->value);
	}
	return out->is_set;
}

static bool bool_from_text(struct slice text, struct opt_bool *out)
{
	out->value = slice_eq_ignoring_case(text, SLICE("true"));
	out->is_set = out->value || slice_eq_ignoring_case(text, SLICE("false"));
	return out->is_set;
}

static bool decode_bool(struct json_node node, struct opt_bool *out)
{
	if (json_node_type(node) == JSON_TYPE_STRING)
		return bool_from_text(json_node_string(node), out);
	out->is_set = json_node_type(node) == JSON_TYPE_BOOL;
	out->value = json_node_bool(node);
	return out->is_set;
}

static bool enum_from_text(const struct field_enum *names, struct slice text, struct opt_i64 *out)
{
	int64_t number = 0;
	bool is_number = slice_parse_i64(text, &number);
	for (const struct field_enum *e = names; e->name != NULL && !out->is_set; e++) {
		if (slice_eq_cstr(text, e->name) || (is_number && e->number == number))
			*out = (struct opt_i64){true, e->number};
	}
	return out->is_set;
}

static bool decode_enum(const struct field_enum *names, struct json_node node, struct arena *arena,
			struct opt_i64 *out)
{
	enum json_type type = json_node_type(node);
	if (type == JSON_TYPE_STRING)
		return enum_from_text(names, json_node_string(node), out);
	if (type == JSON_TYPE_NUMBER)
		return enum_from_text(names, json_node_print(node, arena, FIELD_NAME_BYTES_MAX),
				      out);
	return false;
}

static bool decode_texts(struct json_node array, struct arena *arena, struct text_list *out,
			 const struct place *place, struct error *err)
{
	struct text_list list = {.is_set = true};
	list.items = ARENA_NEW(arena, struct slice, json_node_count(array) + 1);
	for (struct json_node item = json_node_first(array);
	     json_node_type(item) != JSON_TYPE_ABSENT; item = json_node_next(item)) {
		const struct place here = {place, NULL, list.count};
		if (json_node_type(item) != JSON_TYPE_STRING)
			return error_invalid(item, "a string", &here, arena, err);
		list.items[list.count++] = json_node_string(item);
	}
	*out = list;
	return true;
}

static bool decode_objects(const struct field *field, struct json_node array, struct arena *arena,
			   struct object_list *out, const struct place *place, struct error *err)
{
	struct object_list list = {.is_set = true};
	char *items = arena_alloc(arena, json_node_count(array) + 1, field->nested_bytes);
	for (struct json_node item = json_node_first(array);
	     json_node_type(item) != JSON_TYPE_ABSENT; item = json_node_next(item)) {
		const struct place here = {place, NULL, list.count};
		if (json_node_type(item) != JSON_TYPE_OBJECT)
			return error_invalid(item, "an object", &here, arena, err);
		if (!decode_object(field->nested_or_null, item, arena,
				   items + list.count * field->nested_bytes, &here, err))
			return false;
		list.count++;
	}
	list.items = items;
	*out = list;
	return true;
}

static bool decode_map(struct json_node object, struct arena *arena, struct object_list *out,
		       const struct place *place, struct error *err)
{
	struct object_list list = {.is_set = true};
	struct key_value *items =
		ARENA_NEW(arena, struct key_value, json_node_count(object) + 1);
	for (struct json_node member = json_node_first(object);
	     json_node_type(member) != JSON_TYPE_ABSENT; member = json_node_next(member)) {
		struct slice key = json_node_key(member);
		const struct place here = {place, arena_cstr(arena, key), 0};
		if (json_node_type(member) != JSON_TYPE_STRING)
			return error_invalid(member, "a string", &here, arena, err);
		items[list.count++] = (struct key_value){key, json_node_string(member)};
	}
	list.items = items;
	*out = list;
	return true;
}

static bool decode_value(const struct field *field, struct json_node node, struct arena *arena,
			 void *out, const struct place *place, struct error *err)
{
	enum json_type type = json_node_type(node);
	switch (field->type) {
	case FIELD_TYPE_TEXT:
		if (type != JSON_TYPE_STRING)
			return error_invalid(node, "a string", place, arena, err);
		*(struct slice *)out = json_node_string(node);
		return true;
	case FIELD_TYPE_I64:
		return decode_i64(node, out) ||
		       error_invalid(node, "a 64-bit integer", place, arena, err);
	case FIELD_TYPE_DOUBLE:
		return decode_double(node, out) ||
		       error_invalid(node, "a 64-bit floating point number", place, arena, err);
	case FIELD_TYPE_BOOL:
		return decode_bool(node, out) ||
		       error_invalid(node, "true or false", place, arena, err);
	case FIELD_TYPE_ENUM:
		return decode_enum(field->enums_or_null, node, arena, out) ||
		       error_invalid(node, "one of the names in the API docs", place, arena, err);
	case FIELD_TYPE_TEXTS:
		if (type != JSON_TYPE_ARRAY)
			return error_invalid(node, "an array of strings", place, arena, err);
		return decode_texts(node, arena, out, place, err);
	case FIELD_TYPE_OBJECT:
		if (type != JSON_TYPE_OBJECT)
			return error_invalid(node, "an object", place, arena, err);
		return decode_object(field->nested_or_null, node, arena, out, place, err);
	case FIELD_TYPE_OBJECTS:
		if (type != JSON_TYPE_ARRAY)
			return error_invalid(node, "an array of objects", place, arena, err);
		return decode_objects(field, node, arena, out, place, err);
	case FIELD_TYPE_MAP:
		if (type != JSON_TYPE_OBJECT)
			return error_invalid(node, "an object", place, arena, err);
		return decode_map(node, arena, out, place, err);
	case FIELD_TYPE_RAW:
		*(struct slice *)out = json_node_print(node, arena, RAW_BYTES_MAX);
		return true;
	}
	UNREACHABLE("unknown field type");
}

/* ---- objects ------------------------------------------------------------------------------------ */

/* run_id → runId, as protobuf's JSON form names fields. */
static struct slice camel_case(const char *name, char camel[FIELD_NAME_BYTES_MAX])
{
	size_t len = 0;
	bool upper = false;
	for (const char *c = name; *c != '\0'; c++) {
		ASSERT(len < FIELD_NAME_BYTES_MAX);
		if (*c == '_') {
			upper = true;
			continue;
		}
		camel[len++] = upper && *c >= 'a' && *c <= 'z' ? (char)(*c - 'a' + 'A') : *c;
		upper = false;
	}
	return slice_make(camel, len);
}

static bool is_given(struct json_node node)
{
	return json_node_type(node) != JSON_TYPE_ABSENT && json_node_type(node) != JSON_TYPE_NULL;
}

static struct json_node find_member(struct json_node object, const struct field *field)
{
	char camel[FIELD_NAME_BYTES_MAX];
	struct json_node node = json_node_member(object, slice_from_cstr(field->name));
	if (!is_given(node) && strchr(field->name, '_') != NULL)
		node = json_node_member(object, camel_case(field->name, camel));
	if (!is_given(node) && (field->flags & FIELD_IS_RUN_ID) != 0)
		node = json_node_member(object, SLICE("run_uuid"));
	return node;
}

/* `value` was decoded from a member of `object`; absent for a query. */
static bool is_missing(const struct field *field, struct json_node object, const void *value)
{
	switch (field->type) {
	case FIELD_TYPE_TEXT:
	case FIELD_TYPE_RAW:
		return ((const struct slice *)value)->len == 0;
	case FIELD_TYPE_I64:
	case FIELD_TYPE_ENUM:
		return !((const struct opt_i64 *)value)->is_set;
	case FIELD_TYPE_DOUBLE:
		return !((const struct opt_double *)value)->is_set;
	case FIELD_TYPE_BOOL:
		return !((const struct opt_bool *)value)->is_set;
	case FIELD_TYPE_TEXTS:
		return ((const struct text_list *)value)->count == 0;
	case FIELD_TYPE_OBJECTS:
	case FIELD_TYPE_MAP:
		return ((const struct object_list *)value)->count == 0;
	case FIELD_TYPE_OBJECT:
		return !is_given(find_member(object, field));
	}
	return false;
}

static bool check_required(const struct field *fields, struct json_node object,
			   const char *target, const struct place *place, struct arena *arena, struct error *err)
{
	for (const struct field *field = fields; field->name != NULL; field++) {
		if ((field->flags & FIELD_REQUIRED) == 0 ||
		    !is_missing(field, object, target + field->offset))
			continue;
		const struct place here = {place, field->name, 0};
		return fields_error_missing(err, arena_cstr(arena, place_text(&here, arena)));
	}
	return true;
}

/* Does the next field take the same member? */
static bool shares_member(const struct field *field)
{
	return field[1].name != NULL && strcmp(field[1].name, field->name) == 0;
}

static bool decode_object(const struct field *fields, struct json_node object, struct arena *arena,
			  void *target, const struct place *place, struct error *err)
{
	/* Members that no field has taken yet. With none left, the other fields are absent: looking for them would
	 * take most of the time that the metrics of a batch take, which seldom name a model. */
	size_t left = json_node_count(object);
	for (const struct field *field = fields; left > 0 && field->name != NULL; field++) {
		struct json_node node = find_member(object, field);
		const struct place here = {place, field->name, 0};
		if (!is_given(node))
			continue;
		if (!shares_member(field))
			left--;
		if (!decode_value(field, node, arena, (char *)target + field->offset, &here, err))
			return false;
	}
	return check_required(fields, object, target, place, arena, err);
}

bool fields_decode_json(const struct field *fields, struct slice body, struct arena *arena,
			void *request, struct error *err)
{
	struct json_node root;
	if (!json_read(body, arena, &root, err))
		return false;
	if (json_node_type(root) != JSON_TYPE_OBJECT)
		return error_set(err, ERR_BAD_REQUEST, "The request body must be a JSON object.");
	return decode_object(fields, root, arena, request, NULL, err);
}

/* ---- query strings ------------------------------------------------------------------------------ */

static bool error_invalid_text(struct slice value, const struct field *field, const char *expected,
			       struct error *err)
{
	char quoted[VALUE_SHOWN_BYTES_MAX];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value \"%s\" for parameter '%s' supplied. Hint: expected %s. See "
			 "the API docs "
			 "for more information about request parameters.",
			 error_quote(value, quoted, sizeof(quoted)), field->name, expected);
}

/* Repeated names: arrays grow by doubling in the arena, which is freed as a whole anyway. */
static void append_text(struct text_list *list, struct slice value, struct arena *arena)
{
	bool is_full = list->count == 0 || (list->count & (list->count - 1)) == 0;
	if (is_full) {
		struct slice *items =
			ARENA_NEW(arena, struct slice, list->count == 0 ? 1 : list->count * 2);
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
	}
	list->items[list->count++] = value;
	list->is_set = true;
}

static bool decode_query_value(const struct field *field, struct slice value, struct arena *arena,
			       void *out, struct error *err)
{
	char quoted[VALUE_SHOWN_BYTES_MAX];
	switch (field->type) {
	case FIELD_TYPE_TEXT:
		*(struct slice *)out = value;
		return true;
	case FIELD_TYPE_I64: {
		struct opt_i64 *number = out;
		number->is_set = i64_from_text(value, &number->value);
		return number->is_set || error_invalid_text(value, field, "a 64-bit integer", err);
	}
	case FIELD_TYPE_DOUBLE: {
		struct opt_double *number = out;
		number->is_set = slice_parse_double(value, &number->value);
		return number->is_set || error_invalid_text(value, field, "a number", err);
	}
	case FIELD_TYPE_BOOL:
		if (bool_from_text(value, out))
			return true;
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid boolean value: %s, must be 'true' or 'false'.",
				 error_quote(value, quoted, sizeof(quoted)));
	case FIELD_TYPE_ENUM:
		return enum_from_text(field->enums_or_null, value, out) ||
		       error_invalid_text(value, field, "one of the names in the API docs", err);
	case FIELD_TYPE_TEXTS:
		append_text(out, value, arena);
		return true;
	case FIELD_TYPE_OBJECT:
	case FIELD_TYPE_OBJECTS:
	case FIELD_TYPE_MAP:
	case FIELD_TYPE_RAW:
		return true; /* no query form */
	}
	UNREACHABLE("unknown field type");
}

static bool query_name_matches(const struct field *field, struct slice name)
{
	char camel[FIELD_NAME_BYTES_MAX];
	return slice_eq_cstr(name, field->name) || slice_eq(name, camel_case(field->name, camel)) ||
	       ((field->flags & FIELD_IS_RUN_ID) != 0 && slice_eq(name, SLICE("run_uuid")));
}

bool fields_decode_query(const struct field *fields, struct slice query, struct arena *arena,
			 void *request, struct error *err)
{
	for (;;) {
		struct slice name, value;
		bool found;
		if (!target_query_next(&query, arena, &name, &value, &found, err))
			return false;
		if (!found)
			return check_required(fields, (struct json_node){NULL}, request, NULL,
					      arena, err);
		for (const struct field *field = fields; field->name != NULL; field++) {
			if (query_name_matches(field, name) &&
			    !decode_query_value(field, value, arena,
						(char *)request + field->offset, err))
				return false;
		}
	}
}
