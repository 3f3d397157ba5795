/* Owns percent-decoding and the walk through a query string. */
#include "http/target.h"

bool target_decode(struct slice encoded, bool plus_is_space, struct arena *arena, struct slice *out,
		   struct error *err)
{
	char quoted[128];
	char *text = arena_alloc(arena, encoded.len + 1, 1);
	size_t len = 0;
	for (size_t i = 0; i < encoded.len; i++) {
		char c = encoded.ptr[i];
		if (c == '%') {
			int high = i + 1 < encoded.len ? slice_hex_digit(encoded.ptr[i + 1]) : -1;
			int low = i + 2 < encoded.len ? slice_hex_digit(encoded.ptr[i + 2]) : -1;
			if (high < 0 || low < 0)
				return error_set(err, ERR_INVALID_PARAMETER_VALUE,
						 "'%s' has a '%%' that two hexadecimal digits do "
						 "not follow.",
						 error_quote(encoded, quoted, sizeof(quoted)));
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		if (c == '\0')
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "'%s' has a NUL character.",
					 error_quote(encoded, quoted, sizeof(quoted)));
		text[len++] = c;
	}
	if (!slice_is_utf8(slice_make(text, len)))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "'%s' is not UTF-8 when decoded.",
				 error_quote(encoded, quoted, sizeof(quoted)));
	*out = slice_make(text, len);
	return true;
}

bool target_query_next(struct slice *rest, struct arena *arena, struct slice *name_out,
		       struct slice *value_out, bool *found_out, struct error *err)
{
	struct slice left = *rest;
	struct slice pair = {0};
	do {
		if (!slice_next(&left, '&', &pair)) {
			*rest = left;
			*found_out = false;
			return true;
		}
	} while (pair.len == 0);
	size_t equals = slice_find_byte(pair, '=', 0);
	struct slice name = {0}, value = {0};
	if (!target_decode(slice_first(pair, equals), true, arena, &name, err) ||
	    !target_decode(slice_from(pair, equals + 1), true, arena, &value, err))
		return false;
	*rest = left;
	*name_out = name;
	*value_out = value;
	*found_out = true;
	return true;
}
