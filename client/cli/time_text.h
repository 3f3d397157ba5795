/* Times as people write them on a command line. Pure but for the time zone; one thread. */
#ifndef CLI_TIME_TEXT_H
#define CLI_TIME_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

#define TIME_TEXT_HELP "2026-03-01, 2026-03-01T12:00, 2026-03-01T12:00:30Z (else local time), or 2h, 7d ago"

/* "90s", "30m", "2h", "7d", "3w": a whole number of a unit. *ms_out is untouched otherwise. */
MUST_CHECK bool time_text_parse_span(struct slice text, int64_t *ms_out);
/* A date, with or without a time, in local time unless it ends in Z or an offset ("+01:00"); or a span before now_ms.
 * *ms_out is untouched otherwise. */
MUST_CHECK bool time_text_parse(struct slice text, int64_t now_ms, int64_t *ms_out);

#endif
