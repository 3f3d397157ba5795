/* Owns the reading of times that people write. */
#include "cli/time_text.h"

#include <stdio.h>
#include <time.h>

#include "base/proto_time.h"

bool time_text_parse_span(struct slice text, int64_t *ms_out)
{
	static const struct {
		char letter;
		int64_t ms;
	} units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}, {'w', 604800000}};
	int64_t count, ms;
	if (text.len < 2 || !slice_parse_i64(slice_first(text, text.len - 1), &count) || count < 0)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(units); i++) {
		if (text.ptr[text.len - 1] != units[i].letter)
			continue;
		if (__builtin_mul_overflow(count, units[i].ms, &ms))
			return false;
		*ms_out = ms;
		return true;
	}
	return false;
}

/* Milliseconds of a time of the day in UTC as those of the same time here. */
static bool to_local(int64_t utc_ms, int64_t *ms_out)
{
	struct tm parts;
	time_t seconds = (time_t)(utc_ms / 1000);
	if (gmtime_r(&seconds, &parts) == NULL)
		return false;
	parts.tm_isdst = -1;
	time_t local = mktime(&parts);
	if (local == (time_t)-1)
		return false;
	*ms_out = (int64_t)local * 1000 + utc_ms % 1000;
	return true;
}

/* Where the zone begins: 'Z', or an offset behind the time; the end if there is none. */
static size_t find_zone(struct slice text, size_t time_from)
{
	size_t at = time_from;
	while (at < text.len && text.ptr[at] != 'Z' && text.ptr[at] != '+' && text.ptr[at] != '-')
		at++;
	return at;
}

static bool parse_date(struct slice text, int64_t *ms_out)
{
	enum { DATE_LEN = 10, MINUTES_LEN = 5 };
	char whole[64];
	struct slice date = slice_first(text, DATE_LEN);
	size_t zone_at = text.len > DATE_LEN ? find_zone(text, DATE_LEN + 1) : text.len;
	struct slice zone = slice_from(text, zone_at);
	struct slice time = slice_from(slice_first(text, zone_at), DATE_LEN + 1);
	int64_t ms;
	bool has_time = text.len > DATE_LEN;
	if (text.len < DATE_LEN || text.len > 40 || has_time != (time.len > 0) ||
	    (has_time && text.ptr[DATE_LEN] != 'T' && text.ptr[DATE_LEN] != ' '))
		return false;
	(void)snprintf(whole, sizeof(whole), "%.*sT%.*s%s%.*s", SLICE_FMT(date), SLICE_FMT(time),
		       time.len == 0		 ? "00:00:00"
		       : time.len == MINUTES_LEN ? ":00"
						 : "",
		       SLICE_FMT(zone.len > 0 ? zone : SLICE("Z")));
	if (!proto_timestamp_parse(slice_from_cstr(whole), &ms))
		return false;
	if (zone.len == 0)
		return to_local(ms, ms_out);
	*ms_out = ms;
	return true;
}

bool time_text_parse(struct slice text, int64_t now_ms, int64_t *ms_out)
{
	int64_t span_ms;
	if (!time_text_parse_span(text, &span_ms))
		return parse_date(text, ms_out);
	if (span_ms > now_ms)
		return false;
	*ms_out = now_ms - span_ms;
	return true;
}
