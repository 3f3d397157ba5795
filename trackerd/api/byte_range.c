/* Owns the reading of Range and of lists of entity tags. */
#include "api/byte_range.h"

static enum byte_range_result last_bytes(int64_t count, int64_t size, int64_t *offset_out,
					 int64_t *length_out)
{
	if (count == 0 || size == 0)
		return BYTE_RANGE_UNSATISFIABLE;
	*length_out = count < size ? count : size;
	*offset_out = size - *length_out;
	return BYTE_RANGE_PART;
}

/* A number of digits only: "+1" and " 1" are none. */
static bool parse_count(struct slice text, int64_t *out)
{
	return text.len > 0 && text.ptr[0] >= '0' && text.ptr[0] <= '9' &&
	       slice_parse_i64(text, out);
}

enum byte_range_result byte_range_parse(struct slice header, int64_t size, int64_t *offset_out,
					int64_t *length_out)
{
	static const char unit[] = "bytes=";
	int64_t first, last = size - 1;
	if (!slice_eq_ignoring_case(slice_first(header, sizeof(unit) - 1), slice_from_cstr(unit)))
		return BYTE_RANGE_WHOLE;
	struct slice range = slice_trim(slice_from(header, sizeof(unit) - 1));
	size_t dash = slice_find_byte(range, '-', 0);
	if (dash == range.len)
		return BYTE_RANGE_WHOLE;
	struct slice before = slice_first(range, dash), after = slice_from(range, dash + 1);
	if (before.len == 0)
		return parse_count(after, &first) ? last_bytes(first, size, offset_out, length_out)
						  : BYTE_RANGE_WHOLE;
	if (!parse_count(before, &first) ||
	    (after.len > 0 && (!parse_count(after, &last) || last < first)))
		return BYTE_RANGE_WHOLE;
	if (first >= size)
		return BYTE_RANGE_UNSATISFIABLE;
	if (last >= size)
		last = size - 1;
	*offset_out = first;
	*length_out = last - first + 1;
	return BYTE_RANGE_PART;
}

static bool is_listed(struct slice list, struct slice etag, bool is_weak)
{
	struct slice rest = list, item;
	if (slice_eq_cstr(slice_trim(list), "*"))
		return true;
	while (slice_next(&rest, ',', &item)) {
		item = slice_trim(item);
		if (is_weak && slice_starts_with(item, SLICE("W/")))
			item = slice_from(item, 2);
		if (slice_eq(item, etag))
			return true;
	}
	return false;
}

bool byte_range_etag_matches(struct slice if_none_match, struct slice etag)
{
	if (slice_starts_with(etag, SLICE("W/")))
		etag = slice_from(etag, 2);
	return is_listed(if_none_match, etag, true);
}

bool byte_range_etag_is_same(struct slice if_match, struct slice etag)
{
	return is_listed(if_match, etag, false);
}
