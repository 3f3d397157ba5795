#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "src/request.h"

static void assert_body(struct buffer *out, const char *expected)
{
	if (!slice_eq_cstr(buffer_slice(out), expected))
		fail_msg("%.*s", SLICE_FMT(buffer_slice(out)));
	buffer_deinit(out);
}

static void test_a_batch_keeps_kinds_apart_and_order_within(void **state)
{
	(void)state;
	struct buffer out;
	const struct record records[] = {
		{.type = RECORD_PARAM, .pair = {SLICE("p"), SLICE("1")}},
		{.type = RECORD_METRIC, .metric = {0, 0.5, -1, 7, SLICE("loss")}},
		{.type = RECORD_TAG, .pair = {SLICE("t"), SLICE("a\"b")}},
		{.type = RECORD_METRIC_NAMED, .metric = {0, (double)NAN, 2, 8, SLICE("acc")}},
		{.type = RECORD_METRIC, .metric = {0, -HUGE_VAL, INT64_MAX, 9, SLICE("loss")}},
	};
	buffer_init(&out, 4096);
	request_log_batch(&out, "r", records, 5);
	assert_body(&out, "{\"run_id\":\"r\",\"metrics\":["
			  "{\"key\":\"loss\",\"value\":0.5,\"timestamp\":7,\"step\":-1},"
			  "{\"key\":\"acc\",\"value\":\"NaN\",\"timestamp\":8,\"step\":2},"
			  "{\"key\":\"loss\",\"value\":\"-Infinity\",\"timestamp\":9,"
			  "\"step\":9223372036854775807}],"
			  "\"params\":[{\"key\":\"p\",\"value\":\"1\"}],"
			  "\"tags\":[{\"key\":\"t\",\"value\":\"a\\\"b\"}]}");
}

static void test_runs_are_created_and_updated(void **state)
{
	(void)state;
	struct buffer out;
	struct buffer tags;
	buffer_init(&tags, 100);
	record_encode_pair(&tags, SLICE("k"), SLICE("v"));
	const struct record_start start = {
		.time_ms = 5,
		.user_or_absent = SLICE("me"),
		.tags_count = 1,
		.tags = buffer_slice(&tags),
	};
	buffer_init(&out, 4096);
	request_create_run(&out, "r", "7", &start);
	assert_body(&out, "{\"run_id\":\"r\",\"experiment_id\":\"7\",\"user_id\":\"me\","
			  "\"start_time\":5,\"tags\":[{\"key\":\"k\",\"value\":\"v\"}]}");
	buffer_deinit(&tags);
	buffer_init(&out, 4096);
	request_update_run(&out, "r", SLICE("RUNNING"), -1);
	assert_body(&out, "{\"run_id\":\"r\",\"status\":\"RUNNING\"}");
	buffer_init(&out, 4096);
	request_update_run(&out, "r", SLICE("FAILED"), 0);
	assert_body(&out, "{\"run_id\":\"r\",\"status\":\"FAILED\",\"end_time\":0}");
}

static void test_tags_are_taken_in_portions(void **state)
{
	(void)state;
	struct buffer out;
	struct buffer tags;
	buffer_init(&tags, 100);
	record_encode_pair(&tags, SLICE("a"), SLICE("1"));
	record_encode_pair(&tags, SLICE("b"), SLICE("2"));
	struct slice rest = buffer_slice(&tags);
	buffer_init(&out, 4096);
	request_log_tags(&out, "r", &rest, 1);
	assert_body(&out, "{\"run_id\":\"r\",\"tags\":[{\"key\":\"a\",\"value\":\"1\"}]}");
	buffer_init(&out, 4096);
	request_log_tags(&out, "r", &rest, 9);
	assert_body(&out, "{\"run_id\":\"r\",\"tags\":[{\"key\":\"b\",\"value\":\"2\"}]}");
	buffer_deinit(&tags);
}

static void test_a_dataset_without_context_has_no_tags(void **state)
{
	(void)state;
	struct buffer out;
	struct record_dataset dataset = {
		SLICE("n"), SLICE("d"), SLICE("local"), SLICE("{}"), {NULL, 0}};
	buffer_init(&out, 4096);
	request_log_dataset(&out, "r", &dataset);
	assert_body(&out, "{\"run_id\":\"r\",\"datasets\":[{\"dataset\":{\"name\":\"n\","
			  "\"digest\":\"d\",\"source_type\":\"local\",\"source\":\"{}\"}}]}");
	dataset.context_or_absent = SLICE("training");
	buffer_init(&out, 4096);
	request_log_dataset(&out, "r", &dataset);
	assert_body(
		&out,
		"{\"run_id\":\"r\",\"datasets\":[{\"tags\":[{\"key\":"
		"\"mlflow.data.context\",\"value\":\"training\"}],\"dataset\":{"
		"\"name\":\"n\",\"digest\":\"d\",\"source_type\":\"local\",\"source\":\"{}\"}}]}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_batch_keeps_kinds_apart_and_order_within),
		cmocka_unit_test(test_runs_are_created_and_updated),
		cmocka_unit_test(test_tags_are_taken_in_portions),
		cmocka_unit_test(test_a_dataset_without_context_has_no_tags),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
