/* Fuzzes protobuf's timestamps and durations: what is read is in range, and reads the same when written. */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "base/proto_time.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_timestamp(int64_t ms)
{
	char text[PROTO_TIME_BYTES_MAX];
	int64_t again = 0;
	proto_timestamp_format(ms, text);
	ASSERT(memchr(text, '\0', sizeof(text)) != NULL);
	bool ok = proto_timestamp_parse(slice_from_cstr(text), &again);
	ASSERT(ok && again >= PROTO_TIMESTAMP_MS_MIN && again <= PROTO_TIMESTAMP_MS_MAX);
	bool is_in_range = ms >= PROTO_TIMESTAMP_MS_MIN && ms <= PROTO_TIMESTAMP_MS_MAX;
	ASSERT(again == ms || !is_in_range);
}

static void check_duration(int64_t ms)
{
	char text[PROTO_TIME_BYTES_MAX];
	int64_t again = 0;
	proto_duration_format(ms, text);
	ASSERT(memchr(text, '\0', sizeof(text)) != NULL);
	bool ok = proto_duration_parse(slice_from_cstr(text), &again);
	ASSERT(ok && again >= -PROTO_DURATION_MS_MAX && again <= PROTO_DURATION_MS_MAX);
	bool is_in_range = ms >= -PROTO_DURATION_MS_MAX && ms <= PROTO_DURATION_MS_MAX;
	ASSERT(again == ms || !is_in_range);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int64_t untouched = 42;
	struct slice text = slice_make((const char *)data, size);
	int64_t ms = untouched;
	if (proto_timestamp_parse(text, &ms)) {
		ASSERT(ms >= PROTO_TIMESTAMP_MS_MIN && ms <= PROTO_TIMESTAMP_MS_MAX);
		check_timestamp(ms);
		ms = untouched;
	}
	ASSERT(ms == untouched);
	if (proto_duration_parse(text, &ms)) {
		ASSERT(ms >= -PROTO_DURATION_MS_MAX && ms <= PROTO_DURATION_MS_MAX);
		check_duration(ms);
		ms = untouched;
	}
	ASSERT(ms == untouched);
	if (size >= sizeof(ms)) { /* any number can be written */
		memcpy(&ms, data, sizeof(ms));
		check_timestamp(ms);
		check_duration(ms);
	}
	return 0;
}
