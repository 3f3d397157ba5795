/* Time. Wall time (`…_ms` since 1970-01-01 UTC) is data; durations come from the monotonic clock. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* A source of time that tests can own. Both functions are thread-safe and cannot fail. */
struct clock {
	int64_t (*wall_ms)(const struct clock *clock);
	int64_t (*monotonic_ns)(const struct clock *clock);
};

/* The system's clocks. */
const struct clock *clock_system(void);
int64_t clock_wall_ms(const struct clock *clock);
int64_t clock_monotonic_ns(const struct clock *clock);
int64_t clock_monotonic_ms(const struct clock *clock);

/* "2026-03-01T12:00:00.123Z" into text[25]; years 1970 to 9999, others become "?". */
void clock_format_ms(int64_t wall_ms, char text[25]);

#endif
