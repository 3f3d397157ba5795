/* Figures for people: sizes, times, durations, numbers. All texts live in the arena. */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* "0 B", "1.5 kB", "12 MB": powers of 1000. */
struct slice format_bytes(struct arena *arena, int64_t bytes);
/* "2026-03-01 12:00:00" in local time; "" for 0. */
struct slice format_time(struct arena *arena, int64_t wall_ms);
/* "just now", "5 min ago", "3 h ago", "2 days ago", else the date. */
struct slice format_age(struct arena *arena, int64_t wall_ms, int64_t now_ms);
/* "0.25 s", "12 s", "3 min 5 s", "2 h 10 min", "3 d 4 h". */
struct slice format_duration(struct arena *arena, int64_t ms);
/* Six significant digits: "4.2", "10.5013", "1e-07", "NaN". */
struct slice format_number(struct arena *arena, double value);
/* "1 run", "3 runs". */
struct slice format_count(struct arena *arena, int64_t count, const char *noun);

#endif
