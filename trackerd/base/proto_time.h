/* Times as protobuf's JSON form writes them, to and from whole milliseconds.
 *
 *     Timestamp   "2026-03-01T12:00:00.123Z"    RFC 3339; years 0001 to 9999
 *     Duration    "1.5s"                        up to 315,576,000,000 s either way
 *
 * Written with no decimals or with three. Read with up to nine: what is finer than a millisecond is cut off, downwards
 * for a timestamp, towards zero for a duration, as protobuf's own conversions do. A timestamp may have an offset
 * ("+01:00") instead of the Z; leap seconds are refused. Pure; any thread. */
#ifndef BASE_PROTO_TIME_H
#define BASE_PROTO_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

enum { PROTO_TIME_BYTES_MAX = 32 };

#define PROTO_TIMESTAMP_MS_MIN (INT64_C(-62135596800) * 1000)
#define PROTO_TIMESTAMP_MS_MAX (INT64_C(253402300799) * 1000 + 999)
#define PROTO_DURATION_MS_MAX (INT64_C(315576000000) * 1000)

/* The whole of `text` must be one time; *ms_out is untouched otherwise. */
MUST_CHECK bool proto_timestamp_parse(struct slice text, int64_t *ms_out);
MUST_CHECK bool proto_duration_parse(struct slice text, int64_t *ms_out);
/* NUL-terminated. What is out of range is written as the nearest time that is in it. */
void proto_timestamp_format(int64_t ms, char text[PROTO_TIME_BYTES_MAX]);
void proto_duration_format(int64_t ms, char text[PROTO_TIME_BYTES_MAX]);

#endif
