/* Owns the reading and writing of times in protobuf's JSON form. */
#include "base/proto_time.h"

#include <inttypes.h>
#include <stdio.h>

enum {
	SECONDS_A_DAY = 24 * 60 * 60,
	DAYS_IN_400_YEARS = 146097,
	EPOCH_DAYS = 719162, /* from 0001-01-01 to 1970-01-01 */
	FRACTION_DIGITS_MAX = 9,
	DURATION_DIGITS_MAX = 12,
};

struct date {
	int64_t year, month, day;
};

static bool take_digits(struct slice *rest, size_t count, int64_t *out);
static bool take_byte(struct slice *rest, char byte);
static bool take_fraction_ms(struct slice *rest, int64_t *ms_out);
static bool take_offset(struct slice *rest, int64_t *seconds_out);
static bool is_date(struct date date);
static int64_t days_in_month(int64_t year, int64_t month);
static int64_t days_before_year(int64_t year);
static int64_t days_of(struct date date);
static struct date date_of(int64_t days);
static int64_t clamp(int64_t value, int64_t min, int64_t max);

bool proto_timestamp_parse(struct slice text, int64_t *ms_out)
{
	struct date date;
	int64_t hour, minute, second, fraction_ms, offset;
	struct slice rest = text;
	bool is_form = take_digits(&rest, 4, &date.year) && take_byte(&rest, '-') &&
		       take_digits(&rest, 2, &date.month) && take_byte(&rest, '-') &&
		       take_digits(&rest, 2, &date.day) && take_byte(&rest, 'T') &&
		       take_digits(&rest, 2, &hour) && take_byte(&rest, ':') &&
		       take_digits(&rest, 2, &minute) && take_byte(&rest, ':') &&
		       take_digits(&rest, 2, &second) && take_fraction_ms(&rest, &fraction_ms) &&
		       take_offset(&rest, &offset) && rest.len == 0;
	if (!is_form || !is_date(date) || hour > 23 || minute > 59 || second > 59)
		return false;
	int64_t seconds =
		days_of(date) * SECONDS_A_DAY + (hour * 60 + minute) * 60 + second - offset;
	int64_t ms = seconds * 1000 + fraction_ms;
	if (ms < PROTO_TIMESTAMP_MS_MIN || ms > PROTO_TIMESTAMP_MS_MAX)
		return false;
	*ms_out = ms;
	return true;
}

bool proto_duration_parse(struct slice text, int64_t *ms_out)
{
	int64_t seconds, fraction_ms;
	struct slice rest = text;
	bool is_negative = take_byte(&rest, '-');
	size_t digits = 0;
	while (digits < rest.len && rest.ptr[digits] >= '0' && rest.ptr[digits] <= '9')
		digits++;
	bool is_form = digits > 0 && digits <= DURATION_DIGITS_MAX &&
		       take_digits(&rest, digits, &seconds) &&
		       take_fraction_ms(&rest, &fraction_ms) && take_byte(&rest, 's') &&
		       rest.len == 0;
	if (!is_form)
		return false;
	int64_t ms = seconds * 1000 + fraction_ms;
	if (ms > PROTO_DURATION_MS_MAX)
		return false;
	*ms_out = is_negative ? -ms : ms;
	return true;
}

void proto_timestamp_format(int64_t ms, char text[PROTO_TIME_BYTES_MAX])
{
	int64_t since_year_1 = clamp(ms, PROTO_TIMESTAMP_MS_MIN, PROTO_TIMESTAMP_MS_MAX) -
			       PROTO_TIMESTAMP_MS_MIN;
	int64_t fraction_ms = since_year_1 % 1000;
	int64_t seconds = since_year_1 / 1000;
	struct date date = date_of(seconds / SECONDS_A_DAY);
	int64_t second_of_day = seconds % SECONDS_A_DAY;
	int len = snprintf(text, PROTO_TIME_BYTES_MAX,
			   "%04" PRId64 "-%02" PRId64 "-%02" PRId64 "T%02" PRId64 ":%02" PRId64
			   ":%02" PRId64,
			   date.year, date.month, date.day, second_of_day / 3600,
			   second_of_day / 60 % 60, second_of_day % 60);
	ASSERT(len > 0 && len < PROTO_TIME_BYTES_MAX);
	size_t room = PROTO_TIME_BYTES_MAX - (size_t)len;
	if (fraction_ms == 0)
		(void)snprintf(text + len, room, "Z");
	else
		(void)snprintf(text + len, room, ".%03" PRId64 "Z", fraction_ms);
}

void proto_duration_format(int64_t ms, char text[PROTO_TIME_BYTES_MAX])
{
	int64_t in_range = clamp(ms, -PROTO_DURATION_MS_MAX, PROTO_DURATION_MS_MAX);
	const char *sign = in_range < 0 ? "-" : "";
	int64_t size = in_range < 0 ? -in_range : in_range;
	if (size % 1000 == 0)
		(void)snprintf(text, PROTO_TIME_BYTES_MAX, "%s%" PRId64 "s", sign, size / 1000);
	else
		(void)snprintf(text, PROTO_TIME_BYTES_MAX, "%s%" PRId64 ".%03" PRId64 "s", sign,
			       size / 1000, size % 1000);
}

/* Exactly `count` digits, at most 12. */
static bool take_digits(struct slice *rest, size_t count, int64_t *out)
{
	int64_t number = 0;
	if (rest->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (rest->ptr[i] < '0' || rest->ptr[i] > '9')
			return false;
		number = number * 10 + (rest->ptr[i] - '0');
	}
	*rest = slice_from(*rest, count);
	*out = number;
	return true;
}

static bool take_byte(struct slice *rest, char byte)
{
	if (rest->len == 0 || rest->ptr[0] != byte)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

/* ".123456" is 123; nothing is 0. */
static bool take_fraction_ms(struct slice *rest, int64_t *ms_out)
{
	size_t digits = 0;
	*ms_out = 0;
	if (!take_byte(rest, '.'))
		return true;
	for (; digits < rest->len && rest->ptr[digits] >= '0' && rest->ptr[digits] <= '9';
	     digits++) {
		if (digits < 3)
			*ms_out = *ms_out * 10 + (rest->ptr[digits] - '0');
	}
	for (size_t i = digits; i < 3; i++)
		*ms_out *= 10;
	*rest = slice_from(*rest, digits);
	return digits > 0 && digits <= FRACTION_DIGITS_MAX;
}

/* "Z", "+01:00": how far the clock that was read is ahead of UTC. */
static bool take_offset(struct slice *rest, int64_t *seconds_out)
{
	int64_t hours, minutes;
	*seconds_out = 0;
	if (take_byte(rest, 'Z'))
		return true;
	bool is_ahead = take_byte(rest, '+');
	if ((!is_ahead && !take_byte(rest, '-')) || !take_digits(rest, 2, &hours) ||
	    !take_byte(rest, ':') || !take_digits(rest, 2, &minutes) || hours > 23 || minutes > 59)
		return false;
	int64_t seconds = (hours * 60 + minutes) * 60;
	*seconds_out = is_ahead ? seconds : -seconds;
	return true;
}

static bool is_date(struct date date)
{
	return date.year >= 1 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
	       date.day <= days_in_month(date.year, date.month);
}

static int64_t days_in_month(int64_t year, int64_t month)
{
	static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap_year = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap_year);
}

/* From 0001-01-01 to the first day of the year. */
static int64_t days_before_year(int64_t year)
{
	int64_t before = year - 1;
	return before * 365 + before / 4 - before / 100 + before / 400;
}

/* Since 1970-01-01. */
static int64_t days_of(struct date date)
{
	int64_t days = days_before_year(date.year) - EPOCH_DAYS + date.day - 1;
	for (int64_t month = 1; month < date.month; month++)
		days += days_in_month(date.year, month);
	return days;
}

/* `days` since 0001-01-01. */
static struct date date_of(int64_t days)
{
	/* The mean length of a year gives the year, or the one beside it. */
	struct date date = {.year = days * 400 / DAYS_IN_400_YEARS + 1, .month = 1};
	if (days < days_before_year(date.year))
		date.year--;
	else if (days >= days_before_year(date.year + 1))
		date.year++;
	int64_t day = days - days_before_year(date.year);
	for (; day >= days_in_month(date.year, date.month); date.month++)
		day -= days_in_month(date.year, date.month);
	date.day = day + 1;
	return date;
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}
