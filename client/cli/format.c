/* Owns how figures look to people. */
#include "cli/format.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

enum {
	SECOND_MS = 1000,
	MINUTE_MS = 60 * SECOND_MS,
	HOUR_MS = 60 * MINUTE_MS,
	DAY_MS = 24 * HOUR_MS
};

struct slice format_bytes(struct arena *arena, int64_t bytes)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)bytes;
	size_t unit = 0;
	if (bytes < 1000)
		return arena_printf(arena, "%lld B", (long long)bytes);
	for (; value >= 999.5 && unit + 1 < ARRAY_COUNT(units); unit++)
		value /= 1000;
	return arena_printf(arena, value < 9.95 ? "%.1f %s" : "%.0f %s", value, units[unit]);
}

struct slice format_time(struct arena *arena, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm local;
	char text[32];
	if (wall_ms == 0 || localtime_r(&seconds, &local) == NULL)
		return SLICE("");
	size_t len = strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
	return arena_copy(arena, slice_make(text, len));
}

struct slice format_age(struct arena *arena, int64_t wall_ms, int64_t now_ms)
{
	int64_t age_ms = now_ms - wall_ms;
	if (wall_ms == 0)
		return SLICE("");
	if (age_ms < 0 || age_ms >= 7 * (int64_t)DAY_MS)
		return slice_first(format_time(arena, wall_ms), 10);
	if (age_ms < 10 * SECOND_MS)
		return SLICE("just now");
	if (age_ms < MINUTE_MS)
		return arena_printf(arena, "%lld s ago", (long long)(age_ms / SECOND_MS));
	if (age_ms < HOUR_MS)
		return arena_printf(arena, "%lld min ago", (long long)(age_ms / MINUTE_MS));
	if (age_ms < DAY_MS)
		return arena_printf(arena, "%lld h ago", (long long)(age_ms / HOUR_MS));
	return arena_printf(arena, "%lld day%s ago", (long long)(age_ms / DAY_MS),
			    age_ms < 2 * (int64_t)DAY_MS ? "" : "s");
}

struct slice format_duration(struct arena *arena, int64_t ms)
{
	long long whole = ms;
	if (ms < 0)
		return SLICE("");
	if (ms < 10 * SECOND_MS)
		return arena_printf(arena, "%.2f s", (double)ms / SECOND_MS);
	if (ms < MINUTE_MS)
		return arena_printf(arena, "%lld s", whole / SECOND_MS);
	if (ms < HOUR_MS)
		return arena_printf(arena, "%lld min %lld s", whole / MINUTE_MS,
				    whole % MINUTE_MS / SECOND_MS);
	if (ms < DAY_MS)
		return arena_printf(arena, "%lld h %lld min", whole / HOUR_MS,
				    whole % HOUR_MS / MINUTE_MS);
	return arena_printf(arena, "%lld d %lld h", whole / DAY_MS, whole % DAY_MS / HOUR_MS);
}

struct slice format_number(struct arena *arena, double value)
{
	if (isnan(value))
		return SLICE("NaN");
	if (isinf(value))
		return value < 0 ? SLICE("-Infinity") : SLICE("Infinity");
	return arena_printf(arena, "%.6g", value);
}

struct slice format_count(struct arena *arena, int64_t count, const char *noun)
{
	return arena_printf(arena, "%lld %s%s", (long long)count, noun, count == 1 ? "" : "s");
}
