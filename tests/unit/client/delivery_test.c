#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_server_helper.h"
#include "src/delivery.h"

static const char run_id[] = "0123456789abcdef0123456789abcdef";

struct fixture {
	struct world *world;
	struct fake_server *server;
	char *folder;
	char path[200];
	struct spool *spool;
	struct transport *transport;
	struct delivery delivery;
	char last_note[1024];
};

static void keep_note(void *context, enum trk_log_level level, const char *sentence)
{
	struct fixture *f = context;
	(void)level;
	snprintf(f->last_note, sizeof f->last_note, "%s", sentence);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct error err;
	assert_non_null(f);
	f->world = world_new();
	f->server = fake_server_start(f->world, 0);
	f->folder = temporary_folder();
	snprintf(f->path, sizeof f->path, "%s/%s", f->folder, run_id);
	const struct spool_options spool_options = {.directory = f->path, .bytes_max = UINT64_MAX};
	const struct transport_options transport_options = {f->server->url, 5000, 5000};
	const struct record start = {
		.type = RECORD_START,
		.start = {.time_ms = 1, .url = SLICE("http://x"), .experiment = SLICE("e")},
	};
	assert_true(spool_open(&spool_options, &f->spool, &err));
	assert_true(transport_open(&transport_options, &f->transport, &err));
	assert_true(
		delivery_init(&f->delivery, f->spool, f->transport, run_id, keep_note, f, &err));
	assert_true(spool_append(f->spool, &start, &err));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	delivery_deinit(&f->delivery);
	transport_close(f->transport);
	spool_close(f->spool);
	fake_server_stop(f->server);
	world_free(f->world);
	temporary_folder_remove(f->folder);
	free(f);
	return 0;
}

static void append_pair(struct fixture *f, enum record_type type, const char *key,
			const char *value)
{
	struct error err;
	const struct record record = {.type = type,
				      .pair = {slice_from_cstr(key), slice_from_cstr(value)}};
	assert_true(spool_append(f->spool, &record, &err));
}

static void append_point(struct fixture *f, const char *name, int64_t step)
{
	struct error err;
	const struct record_metric metric = {0, 1, step, 1, slice_from_cstr(name)};
	assert_true(spool_append_metric(f->spool, &metric, &err));
}

static enum delivery_outcome step(struct fixture *f)
{
	struct error err;
	return delivery_step(&f->delivery, &err);
}

/* Steps until nothing is left; returns how many steps that took. */
static int drain(struct fixture *f)
{
	int steps = 0;
	enum delivery_outcome outcome;
	while ((outcome = step(f)) != DELIVERY_EMPTY) {
		assert_int_equal(outcome, DELIVERY_PROGRESS);
		steps++;
	}
	return steps;
}

/* Status of the answer to a batch → what the delivery makes of it. */
static void test_statuses_mean_what_the_manual_says(void **state)
{
	struct fixture *f = *state;
	static const struct {
		int status;
		enum delivery_outcome outcome;
	} rows[] = {
		{500, DELIVERY_RETRY},	 {502, DELIVERY_RETRY},	  {503, DELIVERY_RETRY},
		{504, DELIVERY_RETRY},	 {507, DELIVERY_RETRY},	  {408, DELIVERY_RETRY},
		{425, DELIVERY_RETRY},	 {429, DELIVERY_RETRY},	  {401, DELIVERY_REFUSED},
		{403, DELIVERY_REFUSED}, {404, DELIVERY_REFUSED}, {407, DELIVERY_REFUSED},
		{301, DELIVERY_REFUSED}, {302, DELIVERY_REFUSED},
	};
	assert_int_equal(drain(f), 1);
	append_point(f, "loss", 1);
	uint64_t confirmed = spool_confirmed(f->spool);
	f->world->fault_path = "log-batch";
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		world_add_fault(f->world, FAULT_STATUS, rows[i].status, 0);
		enum delivery_outcome outcome = step(f);
		if (outcome != rows[i].outcome)
			fail_msg("%d gave %d", rows[i].status, (int)outcome);
		assert_int_equal(spool_confirmed(f->spool), confirmed);
	}
	assert_int_equal(drain(f), 1);
	assert_int_equal(world_points(f->world), 1);
	/* What is about the record: one is set aside each. */
	static const int about_the_record[] = {400, 409, 413, 422, 501};
	for (size_t i = 0; i < sizeof about_the_record / sizeof about_the_record[0]; i++) {
		append_point(f, "loss", 10 + (int64_t)i);
		world_add_fault(f->world, FAULT_STATUS, about_the_record[i], 0);
		assert_int_equal(drain(f), 1);
		assert_int_equal(f->delivery.records_rejected, i + 1);
		assert_non_null(strstr(f->last_note, "metric loss was set aside"));
	}
	assert_int_equal(world_points(f->world), 1);
}

static void test_retry_after_reaches_the_caller(void **state)
{
	struct fixture *f = *state;
	world_add_fault(f->world, FAULT_STATUS, 503, 3);
	assert_int_equal(step(f), DELIVERY_RETRY);
	assert_int_equal(f->delivery.retry_after_ms, 3000);
	world_add_fault(f->world, FAULT_STATUS, 500, 0);
	assert_int_equal(step(f), DELIVERY_RETRY);
	assert_int_equal(f->delivery.retry_after_ms, -1);
}

static void test_a_name_twice_needs_two_batches(void **state)
{
	struct fixture *f = *state;
	append_pair(f, RECORD_PARAM, "a", "1");
	append_pair(f, RECORD_TAG, "a", "1");
	append_pair(f, RECORD_PARAM, "b", "1");
	append_pair(f, RECORD_TAG, "a", "2"); /* the last value of a tag must win */
	append_pair(f, RECORD_PARAM, "b", "1");
	assert_int_equal(drain(f), 3);
	assert_string_equal(world_tag(f->world, "a"), "2");
	assert_int_equal(world_count_requests(f->world, "log-batch"), 2);
}

static void test_limits_of_a_batch_hold_exactly(void **state)
{
	struct fixture *f = *state;
	static const struct {
		enum record_type type;
		int count;
		int batches;
	} rows[] = {
		{RECORD_PARAM, 100, 1}, {RECORD_PARAM, 101, 2},	  {RECORD_TAG, 100, 1},
		{RECORD_TAG, 101, 2},	{RECORD_METRIC, 1000, 1}, {RECORD_METRIC, 1001, 2},
	};
	assert_int_equal(drain(f), 1);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		for (int k = 0; k < rows[i].count; k++) {
			char key[40];
			snprintf(key, sizeof key, "k%d_%d", (int)i, k);
			if (rows[i].type == RECORD_METRIC)
				append_point(f, "loss", (int64_t)i * 10000 + k);
			else
				append_pair(f, rows[i].type, key, "v");
		}
		if (drain(f) != rows[i].batches)
			fail_msg("row %zu", i);
	}
}

static void test_every_bad_record_of_a_batch_is_found(void **state)
{
	struct fixture *f = *state;
	static const int bad[] = {0, 1, 37, 498, 499, 500, 998, 999};
	assert_int_equal(drain(f), 1);
	size_t next = 0;
	for (int i = 0; i < 1000; i++) {
		bool is_bad = next < sizeof bad / sizeof bad[0] && bad[next] == i;
		append_point(f, is_bad ? "bad" : "loss", i);
		next += is_bad;
	}
	int steps = drain(f);
	assert_int_equal(f->delivery.records_rejected, 8);
	assert_int_equal(world_points(f->world), 992);
	assert_true(steps < 8 * 20);
	/* Whether the run is active was asked per finding, not per request. */
	assert_true(world_count_requests(f->world, "runs/get") <= 10);
}

static void test_a_lost_copy_is_set_aside_and_does_not_block(void **state)
{
	struct fixture *f = *state;
	struct error err;
	const struct record file = {
		.type = RECORD_FILE,
		.file = {SLICE("a.txt"), SLICE("file-9"), SLICE("abc"), {NULL, 0}, 3},
	};
	assert_true(spool_append(f->spool, &file, &err));
	append_point(f, "loss", 1);
	assert_int_equal(drain(f), 3);
	assert_non_null(strstr(f->last_note, "file a.txt was set aside"));
	assert_int_equal(world_points(f->world), 1);
}

static void test_an_experiment_made_meanwhile_is_used(void **state)
{
	struct fixture *f = *state;
	/* Not there when asked, there when made: another program was faster. */
	snprintf(f->world->experiment, sizeof f->world->experiment, "e");
	world_add_fault(f->world, FAULT_STATUS, 404, 0);
	assert_int_equal(step(f), DELIVERY_PROGRESS);
	assert_int_equal(world_count_requests(f->world, "experiments/create"), 1);
	assert_int_equal(world_count_requests(f->world, "get-by-name"), 2);
	assert_int_equal(f->world->runs_created, 1);
}

static void test_a_cancelled_delivery_says_so_and_confirms_nothing(void **state)
{
	struct fixture *f = *state;
	transport_cancel(f->transport);
	assert_int_equal(step(f), DELIVERY_CANCELLED);
	assert_int_equal(spool_confirmed(f->spool), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_statuses_mean_what_the_manual_says),
		TEST(test_retry_after_reaches_the_caller),
		TEST(test_a_name_twice_needs_two_batches),
		TEST(test_limits_of_a_batch_hold_exactly),
		TEST(test_every_bad_record_of_a_batch_is_found),
		TEST(test_a_lost_copy_is_set_aside_and_does_not_block),
		TEST(test_an_experiment_made_meanwhile_is_used),
		TEST(test_a_cancelled_delivery_says_so_and_confirms_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
