/* Owns the rules for names, lengths, ids and locations in requests. */
#include "api/validation.h"

#include <stdio.h>
#include <unistd.h>

#include "api/unicode_word.h"
#include "base/utf8.h"
#include "limits.h"

enum {
	RUN_ID_LENGTH_MAX = 256,
	QUOTED_BYTES_MAX = 300, /* of a value in a message */
	PLACE_BYTES_MAX = 64,
	UTF8_BYTES_MAX = 4,				  /* of one character */
	PATH_BYTES_MAX = UTF8_BYTES_MAX * KEY_LENGTH_MAX, /* a longer key is too long in any case */
};

/* What the kinds of keys have of their own. */
struct key_rule {
	const char *name;	    /* of the member, in "parameter 'metrics[0].name'" */
	const char *length_name;    /* in "'Metric name' exceeds …"; NULL: the member's */
	bool is_long_value_refused; /* otherwise it is cut */
	bool is_free;		    /* only the length counts */
};

static const struct key_rule key_rules[] = {
	[KEY_METRIC] = {.name = "name", .length_name = "Metric name"},
	[KEY_PARAM] = {.name = "key", .length_name = "Param key"},
	[KEY_TAG] = {.name = "key"},
	[KEY_KEPT_TAG] = {.name = "key", .is_long_value_refused = true},
	[KEY_FREE_TAG] = {.name = "key", .is_free = true},
};

// clang-format off
const struct field key_value_fields[] = {
	FIELD_TEXT(struct key_value, key, FIELD_REQUIRED),
	FIELD_TEXT(struct key_value, value, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool is_plain_key(struct slice key);
static bool validate_key_length(enum key_kind kind, struct slice key, const char *where,
				struct error *err);
static bool fail_value(struct slice value, const char *parameter, const char *reason,
		       struct error *err);
static void put_place(char *text, size_t text_bytes, struct value_place place, const char *name);
static size_t read_code_point(struct slice s, uint32_t *out);
static bool is_allowed_in_keys(uint32_t code_point);
static struct slice normalize_path(struct slice path, char *normalized);
static struct slice parent_of(struct slice path);
static bool has_scheme(struct slice uri);
static bool contains_ignoring_case(struct slice s, struct slice part);
static bool make_absolute(struct slice path, struct arena *arena, struct slice *out,
			  struct error *err);

static bool validate_id(struct slice id, size_t length_max, const char *name, struct error *err)
{
	bool is_valid = id.len > 0 && id.ptr[0] != '_' && id.ptr[0] != '-' &&
			slice_utf8_length(id) <= length_max;
	for (size_t i = 0; is_valid && i < id.len;) {
		uint32_t code_point;
		i += read_code_point(slice_from(id, i), &code_point);
		is_valid = unicode_is_word(code_point) || code_point == '-';
	}
	if (is_valid)
		return true;
	char quoted[QUOTED_BYTES_MAX];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value \"%s\" for parameter '%s' supplied.",
			 error_quote(id, quoted, sizeof(quoted)), name);
}

bool validate_run_id(struct slice run_id, struct error *err)
{
	return validate_id(run_id, RUN_ID_LENGTH_MAX, "run_id", err);
}

bool validate_logged_model_id(struct slice model_id, struct error *err)
{
	return validate_id(model_id, LOGGED_MODEL_ID_LENGTH_MAX, "model_id", err);
}

bool validate_experiment_id(struct slice text, int64_t *out, struct error *err)
{
	if (slice_parse_i64(text, out))
		return true;
	char quoted[QUOTED_BYTES_MAX];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid experiment ID '%s'. Experiment ID must be a valid integer.",
			 error_quote(text, quoted, sizeof(quoted)));
}

bool validate_length(struct slice value, size_t length_max, const char *what, struct error *err)
{
	/* Most texts are so short that nothing needs counting. */
	if (value.len <= length_max)
		return true;
	size_t length = slice_utf8_length(value);
	if (length <= length_max)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "%s exceeds the maximum length of %zu characters. Got %zu characters.",
			 what, length_max, length);
}

bool validate_key(enum key_kind kind, struct slice key, struct value_place place, struct error *err)
{
	/* The place is put into words only when it is needed: that takes longer than all the rest. */
	if (key.len <= KEY_LENGTH_MAX && is_plain_key(key))
		return true;
	char where[PLACE_BYTES_MAX];
	put_place(where, sizeof(where), place, key_rules[kind].name);
	if (key_rules[kind].is_free)
		return validate_key_length(kind, key, where, err);
	for (size_t i = 0; i < key.len;) {
		uint32_t code_point;
		i += read_code_point(slice_from(key, i), &code_point);
		if (!is_allowed_in_keys(code_point))
			return fail_value(key, where,
					  "Names may only contain alphanumerics, underscores (_), "
					  "dashes (-), periods (.), spaces ( ), colon(:) and "
					  "slashes (/).",
					  err);
	}
	return validate_as_path(key, where, err) && validate_key_length(kind, key, where, err);
}

bool validate_as_path(struct slice name, const char *parameter, struct error *err)
{
	char normalized[PATH_BYTES_MAX + 1];
	if (name.len > PATH_BYTES_MAX)
		return true;
	struct slice path = normalize_path(name, normalized);
	if (slice_eq(path, name) && !slice_eq(name, SLICE(".")) &&
	    !slice_starts_with(name, SLICE("..")) && !slice_starts_with(name, SLICE("/")))
		return true;
	char quoted[QUOTED_BYTES_MAX];
	char reason[QUOTED_BYTES_MAX + 200];
	(void)snprintf(reason, sizeof(reason),
		       "Names may be treated as files in certain cases, and must not resolve to "
		       "other names when treated as such. This name would resolve to '%s'",
		       error_quote(path, quoted, sizeof(quoted)));
	return fail_value(name, parameter, reason, err);
}

bool validate_key_values(enum key_kind kind, const struct object_list *list, const char *list_name,
			 size_t value_length_max, struct key_value_list *out, struct error *err)
{
	struct key_value *items = list->items;
	for (size_t i = 0; i < list->count; i++) {
		struct value_place place = {list_name, i};
		if (!validate_key_value(kind, &items[i], place, value_length_max, err))
			return false;
	}
	*out = (struct key_value_list){items, list->count};
	return true;
}

bool validate_key_value(enum key_kind kind, struct key_value *item, struct value_place place,
			size_t value_length_max, struct error *err)
{
	if (!validate_key(kind, item->key, place, err))
		return false;
	if (!slice_is_present(item->value))
		item->value = SLICE("");
	else if (key_rules[kind].is_long_value_refused)
		return validate_length(item->value, value_length_max, "'value'", err);
	else if (item->value.len > value_length_max)
		item->value = slice_utf8_first(item->value, value_length_max);
	return true;
}

bool validate_metric_timestamp(struct slice key, double value, int64_t timestamp_ms,
			       struct value_place place, struct error *err)
{
	if (timestamp_ms >= 0)
		return true;
	char quoted[QUOTED_BYTES_MAX];
	char where[PLACE_BYTES_MAX];
	put_place(where, sizeof(where), place, "timestamp");
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value %lld for parameter '%s' supplied: metric '%s' (value=%g). "
			 "Timestamp must be a nonnegative long (64-bit integer)",
			 (long long)timestamp_ms, where, error_quote(key, quoted, sizeof(quoted)),
			 value);
}

bool validate_artifact_location(struct slice location, struct arena *arena, struct slice *out,
				struct error *err)
{
	if (!validate_length(location, ARTIFACT_LOCATION_LENGTH_MAX, "'artifact_location'", err))
		return false;
	size_t query_index = slice_find_byte(location, '?', 0);
	struct slice path = slice_first(location, query_index);
	struct slice query = slice_from(location, query_index);
	bool has_fragment = slice_find_byte(location, '#', 0) < location.len;
	bool has_params = slice_find_byte(slice_from(path, parent_of(path).len), ';', 0) <
			  path.len - parent_of(path).len;
	if (has_fragment || has_params) {
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'artifact_location' URL can't include fragments or params.");
	}
	/* %25 would hide a %2e from one round of decoding. */
	if (slice_contains(query, SLICE("..")) || contains_ignoring_case(query, SLICE("%2e")) ||
	    slice_contains(query, SLICE("%25"))) {
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid query string: 'artifact_location' can't include '..'.");
	}
	if (slice_eq_ignoring_case(slice_first(location, 5), SLICE("runs:"))) {
		char quoted[QUOTED_BYTES_MAX];
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Artifact location cannot be a runs:/ URI. Given: '%s'",
				 error_quote(location, quoted, sizeof(quoted)));
	}
	if (has_scheme(location) || slice_starts_with(location, SLICE("/"))) {
		*out = location;
		return true;
	}
	return make_absolute(location, arena, out, err);
}

/* Nothing but letters, digits and "_- :": no need to look closer. */
static bool is_plain_key(struct slice key)
{
	for (size_t i = 0; i < key.len; i++) {
		unsigned char c = (unsigned char)key.ptr[i];
		if (c >= 0x80 || c == '.' || c == '/' || !is_allowed_in_keys(c))
			return false;
	}
	return key.len > 0;
}

static bool validate_key_length(enum key_kind kind, struct slice key, const char *where,
				struct error *err)
{
	const char *name = key_rules[kind].length_name;
	char what[PLACE_BYTES_MAX + 2];
	(void)snprintf(what, sizeof(what), "'%s'", name == NULL ? where : name);
	return validate_length(key, KEY_LENGTH_MAX, what, err);
}

static bool fail_value(struct slice value, const char *parameter, const char *reason,
		       struct error *err)
{
	char quoted[QUOTED_BYTES_MAX];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value \"%s\" for parameter '%s' supplied: %s",
			 error_quote(value, quoted, sizeof(quoted)), parameter, reason);
}

/* "metrics[3].name", or "name". */
static void put_place(char *text, size_t text_bytes, struct value_place place, const char *name)
{
	if (place.list_or_null != NULL)
		(void)snprintf(text, text_bytes, "%s[%zu].%s", place.list_or_null, place.index,
			       name);
	else
		(void)snprintf(text, text_bytes, "%s", name);
}

/* Bytes of the first character, and the character; broken UTF-8, which the JSON layer keeps out,
 * reads as U+FFFD. */
static size_t read_code_point(struct slice s, uint32_t *out)
{
	static const unsigned char lead_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t bytes = utf8_sequence_bytes(s.ptr, s.len);
	if (bytes == 0) {
		*out = 0xfffd;
		return 1;
	}
	uint32_t code_point = (unsigned char)s.ptr[0] & lead_bits[bytes];
	for (size_t i = 1; i < bytes; i++)
		code_point = (code_point << 6) | ((unsigned char)s.ptr[i] & 0x3fu);
	*out = code_point;
	return bytes;
}

static bool is_allowed_in_keys(uint32_t code_point)
{
	return unicode_is_word(code_point) || code_point == '-' || code_point == '.' ||
	       code_point == '/' || code_point == ':' || code_point == ' ';
}

/* POSIX normalisation of a path: no empty and no "." parts, ".." takes the part before it away.
 * `normalized` has room for the path and one byte more. */
static struct slice normalize_path(struct slice path, char *normalized)
{
	bool is_absolute = slice_starts_with(path, SLICE("/"));
	struct slice out = {normalized, 0};
	struct slice rest = path, part;
	while (slice_next(&rest, '/', &part)) {
		if (part.len == 0 || slice_eq(part, SLICE(".")))
			continue;
		struct slice last = slice_from(out, parent_of(out).len);
		bool can_go_up = last.len > 0 && !slice_eq(last, SLICE("/..")) &&
				 !slice_eq(last, SLICE(".."));
		if (slice_eq(part, SLICE("..")) && can_go_up) {
			out = parent_of(out);
			continue;
		}
		if (slice_eq(part, SLICE("..")) && is_absolute)
			continue;
		if (out.len > 0 || is_absolute)
			normalized[out.len++] = '/';
		memcpy(normalized + out.len, part.ptr, part.len);
		out.len += part.len;
	}
	if (out.len == 0)
		normalized[out.len++] = is_absolute ? '/' : '.';
	return out;
}

/* What is before the last slash; empty when there is none. */
static struct slice parent_of(struct slice path)
{
	size_t len = path.len;
	while (len > 0 && path.ptr[len - 1] != '/')
		len--;
	return slice_first(path, len == 0 ? 0 : len - 1);
}

static bool has_scheme(struct slice uri)
{
	size_t colon = slice_find_byte(uri, ':', 0);
	if (colon == uri.len || colon == 0)
		return false;
	for (size_t i = 0; i < colon; i++) {
		char c = uri.ptr[i];
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_other = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
		if (!is_letter && (i == 0 || !is_other))
			return false;
	}
	return true;
}

static bool contains_ignoring_case(struct slice s, struct slice part)
{
	for (size_t i = 0; i + part.len <= s.len; i++) {
		if (slice_eq_ignoring_case(slice_first(slice_from(s, i), part.len), part))
			return true;
	}
	return false;
}

static bool make_absolute(struct slice path, struct arena *arena, struct slice *out,
			  struct error *err)
{
	enum { DIRECTORY_BYTES_MAX = 4096 };
	char *directory = ARENA_NEW(arena, char, DIRECTORY_BYTES_MAX);
	if (getcwd(directory, DIRECTORY_BYTES_MAX) == NULL) {
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'artifact_location' must be absolute: the server has no working "
				 "directory.");
	}
	*out = arena_printf(arena, "%s/%.*s", directory, SLICE_FMT(path));
	return true;
}
