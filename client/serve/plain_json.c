/* Owns what numbers that JSON does not have become. */
#include "serve/plain_json.h"

#include "base/json_scanner.h"

struct slice plain_json_infinity(bool is_negative)
{
	return is_negative ? SLICE("-1e999") : SLICE("1e999");
}

static struct slice plain_number(struct slice number)
{
	bool is_negative = number.ptr[0] == '-';
	switch (number.ptr[is_negative]) {
	case 'N':
		return SLICE("null");
	case 'I':
		return plain_json_infinity(is_negative);
	default:
		return number;
	}
}

void plain_json_append(struct slice text, struct buffer *out)
{
	struct json_scanner s;
	enum json_token token;
	size_t done = 0;
	json_scanner_init(&s, text);
	s.takes_any_number = true;
	while ((token = json_scan_next(&s)) != JSON_END && !out->failed) {
		ASSERT(token != JSON_ERROR);
		if (token != JSON_NUMBER)
			continue;
		size_t start = s.offset - s.raw.len;
		buffer_append(out, slice_make(text.ptr + done, start - done));
		buffer_append(out, plain_number(s.raw));
		done = s.offset;
	}
	buffer_append(out, slice_from(text, done));
}
