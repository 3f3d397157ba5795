/* Owns the reading and the printing of time. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"

enum { NS_PER_MS = 1000000, MS_PER_S = 1000 };

static const int64_t YEAR_10000_MS = INT64_C(253402300800000);

static int64_t system_wall_ms(const struct clock *clock);
static int64_t system_monotonic_ns(const struct clock *clock);
static struct timespec read_clock(clockid_t id);

const struct clock *clock_system(void)
{
	static const struct clock system_clock = {system_wall_ms, system_monotonic_ns};
	return &system_clock;
}

int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock);
}

int64_t clock_monotonic_ns(const struct clock *clock)
{
	return clock->monotonic_ns(clock);
}

int64_t clock_monotonic_ms(const struct clock *clock)
{
	return clock->monotonic_ns(clock) / NS_PER_MS;
}

void clock_format_ms(int64_t wall_ms, char text[25])
{
	struct tm tm;
	time_t seconds = (time_t)(wall_ms / MS_PER_S);
	if (wall_ms < 0 || wall_ms >= YEAR_10000_MS || gmtime_r(&seconds, &tm) == NULL) {
		memcpy(text, "?", 2);
		return;
	}
	char whole[96]; /* room for any int, so that the compiler sees no cut */
	snprintf(whole, sizeof(whole), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (int)(wall_ms % MS_PER_S));
	memcpy(text, whole, 24);
	text[24] = '\0';
}

static int64_t system_wall_ms(const struct clock *clock)
{
	(void)clock;
	struct timespec now = read_clock(CLOCK_REALTIME);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

static int64_t system_monotonic_ns(const struct clock *clock)
{
	(void)clock;
	struct timespec now = read_clock(CLOCK_MONOTONIC);
	return (int64_t)now.tv_sec * MS_PER_S * NS_PER_MS + now.tv_nsec;
}

static struct timespec read_clock(clockid_t id)
{
	struct timespec now;
	int rc = clock_gettime(id, &now);
	ASSERT(rc == 0); /* fails only for a clock that does not exist */
	return now;
}
