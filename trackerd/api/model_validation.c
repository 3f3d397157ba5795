/* Owns the registry's rules for what requests may carry. */
#include "api/model_validation.h"

#include "api/validation.h"
#include "limits.h"

const struct field model_tag_fields[] = {
	FIELD_TEXT(struct key_value, key, FIELD_REQUIRED),
	FIELD_TEXT(struct key_value, value, FIELD_OPTIONAL),
	FIELDS_END,
};

bool model_check_name(struct slice name, struct error *err)
{
	char quoted[300];
	if (slice_trim(name).len == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Missing value for required parameter 'name'.");
	if (slice_find_byte(name, '/', 0) < name.len || slice_find_byte(name, ':', 0) < name.len)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Invalid model name '%s'. Names cannot contain '/' or ':'.",
				 error_quote(name, quoted, sizeof(quoted)));
	return validate_as_path(name, "name", err);
}

bool model_check_tag(struct key_value tag, struct error *err)
{
	if (slice_eq(tag.key, SLICE("mlflow.prompt.text")) &&
	    slice_utf8_length(tag.value) > MODEL_TAG_VALUE_LENGTH_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Prompt text exceeds max length of %d characters.",
				 MODEL_TAG_VALUE_LENGTH_MAX);
	return validate_key_value(KEY_KEPT_TAG, &tag, (struct value_place){0},
				  MODEL_TAG_VALUE_LENGTH_MAX, err);
}

bool model_check_tag_name(struct slice key, struct error *err)
{
	return slice_utf8_length(key) > KEY_LENGTH_MAX ||
	       validate_key(KEY_KEPT_TAG, key, (struct value_place){0}, err);
}

bool model_check_tags(const struct object_list *tags, struct key_value_list *out, struct error *err)
{
	struct key_value *items = tags->items;
	for (size_t i = 0; i < tags->count; i++) {
		if (!model_check_tag(items[i], err))
			return false;
	}
	*out = (struct key_value_list){items, tags->count};
	return true;
}

static bool is_word_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* "v7": would be taken for a version. */
static bool looks_like_version(struct slice alias)
{
	if (alias.len < 2 || (alias.ptr[0] != 'v' && alias.ptr[0] != 'V'))
		return false;
	for (size_t i = 1; i < alias.len; i++) {
		if (alias.ptr[i] < '0' || alias.ptr[i] > '9')
			return false;
	}
	return true;
}

bool model_check_alias(struct slice alias, struct error *err)
{
	char quoted[300];
	for (size_t i = 0; i < alias.len; i++) {
		if (!is_word_byte(alias.ptr[i]))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "Invalid alias name: '%s'. Names may only contain "
					 "alphanumerics, underscores "
					 "(_), and dashes (-).",
					 error_quote(alias, quoted, sizeof(quoted)));
	}
	return validate_length(alias, ALIAS_LENGTH_MAX, "'Registered model alias name'", err);
}

bool model_check_new_alias(struct slice alias, struct error *err)
{
	char quoted[300];
	if (!model_check_alias(alias, err))
		return false;
	if (slice_eq_ignoring_case(alias, SLICE("latest")))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'latest' alias name (case insensitive) is reserved.");
	if (looks_like_version(alias))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Version alias name '%s' is reserved.",
				 error_quote(alias, quoted, sizeof(quoted)));
	return true;
}

bool model_check_reason(struct slice reason, struct error *err)
{
	return reason.len <= REGISTRY_REASON_BYTES_MAX ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Parameter 'reason' may have at most %d bytes, got %zu.",
			 REGISTRY_REASON_BYTES_MAX, reason.len);
}

bool model_check_version(struct slice text, int64_t *out, struct error *err)
{
	char quoted[64];
	int64_t version;
	bool is_integer = slice_parse_i64(text, &version);
	if (!is_integer || version < 1)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Parameter 'version' must be %s integer, got '%s'.",
				 is_integer ? "a positive" : "an",
				 error_quote(text, quoted, sizeof(quoted)));
	*out = version;
	return true;
}

bool model_check_stage(struct slice text, struct slice *out, struct error *err)
{
	const struct slice stages[] = {SLICE("None"), SLICE("Staging"), SLICE("Production"),
				       SLICE("Archived")};
	char quoted[64];
	for (size_t i = 0; i < ARRAY_COUNT(stages); i++) {
		if (slice_eq_ignoring_case(text, stages[i])) {
			*out = stages[i];
			return true;
		}
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid Model Version stage: %s. Value must be one of None, Staging, "
			 "Production, Archived.",
			 error_quote(text, quoted, sizeof(quoted)));
}
