/* Log lines in logfmt on standard error: one line an event, the event's name first, past tense.
 *
 *     log_event(LOG_INFO, "group_committed", "jobs=%d fsync_us=%lld", jobs, us);
 *     → time=2026-11-23T07:00:00.123Z level=info event=group_committed jobs=32 fsync_us=410
 *
 * Text values go through log_quote. Values of tags, parameters and metrics, tokens and bodies are never
 * logged. Levels: error = a person must act; warn = may become one; info = life cycle; debug = off by
 * default. A peer's mistake (4xx) is info at most. Each line is one write(2), so lines of different
 * threads do not mix. An event name at warn or error that repeats more than LOG_REPEAT_MAX times in
 * ten seconds is held back and counted in the next line that passes (`held_back=N`). Thread-safe. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/assert.h"
#include "base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum { LOG_REPEAT_MAX = 20, LOG_LINE_BYTES_MAX = 2048 };

/* Lines below `level` are dropped. Call before threads start. */
void log_level_set(enum log_level level);
/* For skipping the making of costly arguments. */
bool log_is_enabled(enum log_level level);
void log_event(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);
/* `value` as a logfmt value in `quoted` (bare or in quotes, escaped, cut to fit); returns `quoted`. */
const char *log_quote(struct slice value, char *quoted, unsigned long quoted_bytes);
/* LOG_DEBUG … for "debug", "info", "warn", "error". */
MUST_CHECK bool log_level_parse(struct slice name, enum log_level *out);

#endif
