/* Owns the reading of workers' answers. */
#include "serve/answer.h"

#include "base/json_scanner.h"

static bool wrong(struct slice line, const char *what, struct error *err)
{
	char quoted[120];
	return error_set(err, ERR_INVALID_STATE,
			 "its answer %s; it began with: %s. What is no answer belongs to standard "
			 "error.",
			 what, error_quote(line, quoted, sizeof(quoted)));
}

/* The text of the value after a key; absent on an error. */
static struct slice take_value(struct json_scanner *s)
{
	size_t from = s->offset;
	if (!json_scan_skip(s))
		return (struct slice){0};
	return slice_trim(slice_make(s->text.ptr + from, s->offset - from));
}

bool answer_read(struct slice line, struct answer *out, struct error *err)
{
	struct json_scanner s;
	struct answer a = {0};
	enum json_token token;
	bool has_id = false;
	json_scanner_init(&s, line);
	s.takes_any_number = true;
	if (json_scan_next(&s) != JSON_OBJECT_BEGIN)
		return wrong(line, "is no JSON object", err);
	while ((token = json_scan_next(&s)) == JSON_KEY) {
		struct slice key = s.raw, value = take_value(&s);
		if (slice_eq_cstr(key, "id"))
			has_id = slice_parse_u64(value, &a.id);
		else if (slice_eq_cstr(key, "predictions"))
			a.predictions = value;
		else if (slice_eq_cstr(key, "error"))
			a.error = value;
	}
	if (token != JSON_OBJECT_END || json_scan_next(&s) != JSON_END)
		return wrong(line, "is not JSON", err);
	if (!has_id)
		return wrong(line, "has no id, or one that is no number", err);
	if (slice_is_present(a.error) && a.error.ptr[0] != '"')
		return wrong(line, "has an error that is no text", err);
	a.has_nonfinite = s.has_nonfinite;
	*out = a;
	return true;
}
