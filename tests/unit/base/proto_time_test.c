/* Tests times in protobuf's JSON form: rows of text and milliseconds, refusals, and every day of the calendar. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/proto_time.h"

struct row {
	const char *text;
	int64_t ms;
	const char *written; /* NULL: as `text` */
};

static const struct row timestamps[] = {
	{"1970-01-01T00:00:00Z", 0, NULL},
	{"1970-01-01T00:00:00.001Z", 1, NULL},
	{"1969-12-31T23:59:59.999Z", -1, NULL},
	{"2000-02-29T12:30:45.120Z", INT64_C(951827445120), NULL},
	{"2000-02-29T12:30:45.12Z", INT64_C(951827445120), "2000-02-29T12:30:45.120Z"},
	{"2026-03-01T12:00:00.123456789Z", INT64_C(1772366400123), "2026-03-01T12:00:00.123Z"},
	{"1969-12-31T23:59:59.999999999Z", -1, "1969-12-31T23:59:59.999Z"},
	{"2026-03-01T12:00:00+01:30", INT64_C(1772361000000), "2026-03-01T10:30:00Z"},
	{"2026-03-01T00:00:00-23:59", INT64_C(1772409540000), "2026-03-01T23:59:00Z"},
	{"2026-03-01T12:00:00.5+00:00", INT64_C(1772366400500), "2026-03-01T12:00:00.500Z"},
	{"0001-01-01T00:00:00Z", PROTO_TIMESTAMP_MS_MIN, NULL},
	{"9999-12-31T23:59:59.999Z", PROTO_TIMESTAMP_MS_MAX, NULL},
};

static const struct row durations[] = {
	{"0s", 0, NULL},
	{"-0s", 0, "0s"},
	{"1s", 1000, NULL},
	{"1.5s", 1500, "1.500s"},
	{"0.001s", 1, NULL},
	{"-0.001s", -1, NULL},
	{"-3.999999999s", -3999, "-3.999s"},
	{"0.000999s", 0, "0s"},
	{"007s", 7000, "7s"},
	{"315576000000s", PROTO_DURATION_MS_MAX, NULL},
	{"-315576000000s", -PROTO_DURATION_MS_MAX, NULL},
};

static const char *const bad_timestamps[] = {
	"", "Z", "1970-01-01", "1970-01-01T00:00:00", "1970-01-01 00:00:00Z", "1970-01-01t00:00:00Z",
	"1970-01-01T00:00:00z", "1970-1-01T00:00:00Z", "1970-13-01T00:00:00Z", "1970-00-01T00:00:00Z",
	"1970-01-00T00:00:00Z", "1970-01-32T00:00:00Z", "1900-02-29T00:00:00Z", "2026-02-29T00:00:00Z",
	"1970-01-01T24:00:00Z", "1970-01-01T00:60:00Z", "1970-01-01T00:00:60Z", "1970-01-01T00:00:00.Z",
	"1970-01-01T00:00:00.1234567890Z", "1970-01-01T00:00:00ZZ", " 1970-01-01T00:00:00Z",
	"1970-01-01T00:00:00+1:00", "1970-01-01T00:00:00+24:00", "1970-01-01T00:00:00+01:60",
	"1970-01-01T00:00:00+0100", "0000-12-31T23:59:59Z", "0001-01-01T00:00:00+00:01",
	"9999-12-31T23:59:59-00:01", "-001-01-01T00:00:00Z", "1970-01-01T00:00:-1Z", "1700000000000",
};

static const char *const bad_durations[] = {
	"", "s", "1", "1.s", ".5s", "1.1234567890s", "1 s", " 1s", "+1s", "--1s", "1sm", "1ms", "1e3s", "0x1s",
	"315576000000.001s", "-315576000000.001s", "315576000001s", "1315576000000s", "nans",
};

static void test_timestamps_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(timestamps); i++) {
		const struct row *row = &timestamps[i];
		char text[PROTO_TIME_BYTES_MAX];
		int64_t ms = 7;
		if (!proto_timestamp_parse(slice_from_cstr(row->text), &ms) || ms != row->ms)
			fail_msg("%s is read as %lld", row->text, (long long)ms);
		proto_timestamp_format(row->ms, text);
		assert_string_equal(text, row->written == NULL ? row->text : row->written);
	}
}

static void test_durations_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(durations); i++) {
		const struct row *row = &durations[i];
		char text[PROTO_TIME_BYTES_MAX];
		int64_t ms = 7;
		if (!proto_duration_parse(slice_from_cstr(row->text), &ms) || ms != row->ms)
			fail_msg("%s is read as %lld", row->text, (long long)ms);
		proto_duration_format(row->ms, text);
		assert_string_equal(text, row->written == NULL ? row->text : row->written);
	}
}

static void test_other_texts_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(bad_timestamps); i++) {
		int64_t ms = 7;
		if (proto_timestamp_parse(slice_from_cstr(bad_timestamps[i]), &ms) || ms != 7)
			fail_msg("accepted: %s", bad_timestamps[i]);
	}
	for (size_t i = 0; i < ARRAY_COUNT(bad_durations); i++) {
		int64_t ms = 7;
		if (proto_duration_parse(slice_from_cstr(bad_durations[i]), &ms) || ms != 7)
			fail_msg("accepted: %s", bad_durations[i]);
	}
}

static void test_what_is_out_of_range_is_written_as_the_nearest_time(void **state)
{
	char text[PROTO_TIME_BYTES_MAX];
	(void)state;
	proto_timestamp_format(INT64_MIN, text);
	assert_string_equal(text, "0001-01-01T00:00:00Z");
	proto_timestamp_format(INT64_MAX, text);
	assert_string_equal(text, "9999-12-31T23:59:59.999Z");
	proto_duration_format(INT64_MIN, text);
	assert_string_equal(text, "-315576000000s");
	proto_duration_format(INT64_MAX, text);
	assert_string_equal(text, "315576000000s");
}

/* Each day of ten thousand years, with a time of day that moves on. */
static void test_what_is_written_is_read_back(void **state)
{
	const int64_t step_ms = INT64_C(24) * 60 * 60 * 1000 + 1009;
	(void)state;
	for (int64_t ms = PROTO_TIMESTAMP_MS_MIN; ms < PROTO_TIMESTAMP_MS_MAX; ms += step_ms) {
		char text[PROTO_TIME_BYTES_MAX];
		int64_t read_back = 0;
		proto_timestamp_format(ms, text);
		if (!proto_timestamp_parse(slice_from_cstr(text), &read_back) || read_back != ms)
			fail_msg("%s is read back as %lld, not %lld", text, (long long)read_back, (long long)ms);
	}
	for (int64_t ms = -PROTO_DURATION_MS_MAX; ms < PROTO_DURATION_MS_MAX; ms += step_ms * 3001) {
		char text[PROTO_TIME_BYTES_MAX];
		int64_t read_back = 0;
		proto_duration_format(ms, text);
		assert_true(proto_duration_parse(slice_from_cstr(text), &read_back) && read_back == ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_timestamps_are_read_and_written),
		cmocka_unit_test(test_durations_are_read_and_written),
		cmocka_unit_test(test_other_texts_are_refused),
		cmocka_unit_test(test_what_is_out_of_range_is_written_as_the_nearest_time),
		cmocka_unit_test(test_what_is_written_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
