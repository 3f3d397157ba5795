#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "src/record.h"

#define assert_slice_equal(s, text) assert_true(slice_eq_cstr((s), (text)))

static void encode_all(struct buffer *payloads, size_t count)
{
	struct buffer tags;
	buffer_init(&tags, 4096);
	record_encode_pair(&tags, SLICE("k"), SLICE("v"));
	record_encode_pair(&tags, SLICE("empty"), SLICE(""));
	const struct record records[] = {
		{.type = RECORD_START,
		 .start = {true,
			   123,
			   SLICE("http://h"),
			   SLICE("exp"),
			   {NULL, 0},
			   SLICE("me"),
			   1,
			   2,
			   buffer_slice(&tags)}},
		{.type = RECORD_PARAM, .pair = {SLICE("alpha"), SLICE("0.3")}},
		{.type = RECORD_TAG, .pair = {SLICE("tag"), SLICE("")}},
		{.type = RECORD_FILE,
		 .file = {SLICE("a/b"), SLICE("file-7"), SLICE("abc"), {NULL, 0}, 99}},
		{.type = RECORD_ARCHIVE,
		 .file = {SLICE("m"), SLICE("file-8"), SLICE("abc"), SLICE("def"), 1}},
		{.type = RECORD_DATASET,
		 .dataset = {SLICE("n"), SLICE("d"), SLICE("local"), SLICE("{}"), {NULL, 0}}},
		{.type = RECORD_END, .end = {456, SLICE("FINISHED")}},
		{.type = RECORD_CLOSE},
	};
	assert_int_equal(count, sizeof records / sizeof records[0]);
	for (size_t i = 0; i < count; i++) {
		buffer_init(&payloads[i], 4096);
		record_encode(&records[i], &payloads[i]);
	}
	buffer_deinit(&tags);
}

enum { KINDS = 8 };

static void test_every_kind_comes_back(void **state)
{
	(void)state;
	struct buffer payloads[KINDS];
	struct record r[KINDS];
	encode_all(payloads, KINDS);
	for (size_t i = 0; i < KINDS; i++)
		assert_true(record_decode(buffer_slice(&payloads[i]), &r[i]));
	assert_int_equal(r[0].type, RECORD_START);
	assert_true(r[0].start.is_continued);
	assert_int_equal(r[0].start.time_ms, 123);
	assert_slice_equal(r[0].start.url, "http://h");
	assert_slice_equal(r[0].start.experiment, "exp");
	assert_false(slice_is_present(r[0].start.run_name_or_absent));
	assert_slice_equal(r[0].start.user_or_absent, "me");
	struct record_pair pair;
	struct slice tags = r[0].start.tags;
	assert_true(record_next_pair(&tags, &pair));
	assert_slice_equal(pair.key, "k");
	assert_true(record_next_pair(&tags, &pair));
	assert_true(slice_is_present(pair.value) && pair.value.len == 0);
	assert_false(record_next_pair(&tags, &pair));
	assert_slice_equal(r[1].pair.key, "alpha");
	assert_slice_equal(r[1].pair.value, "0.3");
	assert_int_equal(r[2].type, RECORD_TAG);
	assert_slice_equal(r[3].file.stored_name, "file-7");
	assert_int_equal(r[3].file.bytes, 99);
	assert_slice_equal(r[4].file.tree_sha256_or_absent, "def");
	assert_slice_equal(r[5].dataset.source, "{}");
	assert_slice_equal(r[6].end.status, "FINISHED");
	assert_int_equal(r[6].end.time_ms, 456);
	assert_int_equal(r[7].type, RECORD_CLOSE);
	for (size_t i = 0; i < KINDS; i++)
		buffer_deinit(&payloads[i]);
}

static void test_a_payload_cut_at_any_byte_is_refused(void **state)
{
	(void)state;
	struct buffer payloads[KINDS];
	encode_all(payloads, KINDS);
	for (size_t i = 0; i < KINDS; i++) {
		struct slice whole = buffer_slice(&payloads[i]);
		for (size_t cut = 0; cut < whole.len; cut++) {
			char *exact = malloc(cut == 0 ? 1 : cut);
			struct record r;
			assert_non_null(exact);
			memcpy(exact, whole.ptr, cut);
			assert_false(record_decode(slice_make(exact, cut), &r));
			free(exact);
		}
		buffer_append_byte(&payloads[i], 'x');
		struct record r;
		assert_false(record_decode(buffer_slice(&payloads[i]), &r));
		buffer_deinit(&payloads[i]);
	}
}

static void test_points_come_back(void **state)
{
	(void)state;
	char payload[RECORD_METRIC_BYTES + 4];
	struct record r;
	const struct record_metric metric = {7, -0.25, INT64_MIN, 123456789012, {NULL, 0}};
	record_encode_metric(RECORD_METRIC, &metric, payload);
	assert_true(record_decode(slice_make(payload, RECORD_METRIC_BYTES), &r));
	assert_int_equal(r.metric.name_number, 7);
	assert_true(r.metric.value == -0.25);
	assert_true(r.metric.step == INT64_MIN);
	assert_int_equal(r.metric.time_ms, 123456789012);
	record_encode_metric(RECORD_METRIC_NAMED, &metric, payload);
	memcpy(payload + RECORD_METRIC_BYTES, "loss", 4);
	assert_true(record_decode(slice_make(payload, RECORD_METRIC_BYTES + 4), &r));
	assert_slice_equal(r.metric.name, "loss");
	assert_false(record_decode(slice_make(payload, RECORD_METRIC_BYTES), &r));
}

static void test_a_stored_name_cannot_lead_out_of_the_folder(void **state)
{
	(void)state;
	static const char *const rows[] = {"../file-1", "file-1/x", "file-",
					   "file-x",	"",	    "000001.seg"};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct record record = {
			.type = RECORD_FILE,
			.file = {SLICE("a"), slice_from_cstr(rows[i]), SLICE("s"), {NULL, 0}, 1},
		};
		struct buffer payload;
		struct record r;
		buffer_init(&payload, 4096);
		record_encode(&record, &payload);
		assert_false(record_decode(buffer_slice(&payload), &r));
		buffer_deinit(&payload);
	}
}

static void test_names_have_1_to_250_characters(void **state)
{
	(void)state;
	struct error err;
	char name[4 * 251];
	for (size_t i = 0; i < 251; i++)
		memcpy(name + 4 * i, "\xf0\x9f\x98\x80", 4);
	assert_false(record_check_name(SLICE(""), &err));
	assert_true(record_check_name(SLICE("a"), &err));
	assert_true(record_check_name(slice_make(name, 4 * 250), &err));
	assert_false(record_check_name(slice_make(name, 4 * 251), &err));
	assert_false(record_check_name(slice_make(name, 3), &err));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_comes_back),
		cmocka_unit_test(test_a_payload_cut_at_any_byte_is_refused),
		cmocka_unit_test(test_points_come_back),
		cmocka_unit_test(test_a_stored_name_cannot_lead_out_of_the_folder),
		cmocka_unit_test(test_names_have_1_to_250_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
