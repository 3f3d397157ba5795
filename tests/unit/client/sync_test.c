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
#include "trk.h"

struct fixture {
	struct world *world;
	struct fake_server *server;
	char *folder;
	int calls;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	assert_non_null(f);
	f->world = world_new();
	f->server = fake_server_start(f->world, 0);
	f->folder = temporary_folder();
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	fake_server_stop(f->server);
	world_free(f->world);
	temporary_folder_remove(f->folder);
	free(f);
	return 0;
}

/* Leaves a finished run with so many points behind. */
static void leave_run(struct fixture *f, const char *url, int points, char run_id[40])
{
	const struct trk_run_options options = {
		.size = sizeof options,
		.url = url,
		.experiment = "e",
		.spool_directory = f->folder,
		.mode = TRK_OFFLINE,
	};
	struct trk_run *run;
	assert_int_equal(trk_run_start(&options, &run), TRK_OK);
	for (int i = 0; i < points; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	snprintf(run_id, 40, "%s", trk_run_id(run));
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
}

static void test_nothing_to_do_is_fine_and_a_missing_folder_is_not(void **state)
{
	struct fixture *f = *state;
	char text[300] = "";
	char missing[200];
	snprintf(missing, sizeof missing, "%s/missing", f->folder);
	struct trk_sync_options options = {
		.size = sizeof options,
		.directory = f->folder,
		.error_text = text,
		.error_text_bytes = sizeof text,
	};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&options, &result), TRK_OK);
	assert_int_equal(result.runs_total, 0);
	options.directory = missing;
	assert_int_equal(trk_sync(&options, &result), TRK_DISK);
	assert_true(text[0] != '\0');
	setenv("TRK_SPOOL_DIR", missing, 1);
	assert_int_equal(trk_sync(NULL, NULL), TRK_OK);
	unsetenv("TRK_SPOOL_DIR");
}

static bool count_calls(void *context, const struct trk_sync_progress *progress)
{
	struct fixture *f = context;
	f->calls++;
	assert_true(progress->size == sizeof *progress);
	assert_true(progress->records_done <= progress->records_total);
	return true;
}

static void test_one_runs_folder_is_delivered_alone_with_progress(void **state)
{
	struct fixture *f = *state;
	char first[40];
	char second[40];
	char path[200];
	leave_run(f, f->server->url, 3000, first);
	leave_run(f, f->server->url, 10, second);
	snprintf(path, sizeof path, "%s/%s/", f->folder, first);
	struct trk_sync_options options = {
		.size = sizeof options,
		.directory = path,
		.progress = count_calls,
		.progress_context = f,
	};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&options, &result), TRK_OK);
	assert_int_equal(result.runs_total, 1);
	assert_int_equal(result.records_delivered, 3002);
	assert_string_equal(f->world->run_id, first);
	assert_true(f->calls >= 5);
	snprintf(path, sizeof path, "%s/%s", f->folder, second);
	assert_int_equal(access(path, F_OK), 0);
	/* From inside the folder of spools. */
	assert_int_equal(chdir(f->folder), 0);
	f->world->run_exists = false;
	options.directory = second;
	assert_int_equal(trk_sync(&options, &result), TRK_OK);
	assert_int_equal(result.records_delivered, 12);
	assert_int_equal(chdir("/"), 0);
}

static void test_another_address_can_be_given(void **state)
{
	struct fixture *f = *state;
	char run_id[40];
	leave_run(f, "http://127.0.0.1:1", 10, run_id);
	struct trk_sync_options options = {
		.size = sizeof options, .directory = f->folder, .patience_ms = 100};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&options, &result), TRK_UNREACHABLE);
	options.url = f->server->url;
	assert_int_equal(trk_sync(&options, &result), TRK_OK);
	assert_int_equal(world_points(f->world), 10);
}

static void test_an_unreachable_server_does_not_hold_up_runs_of_another(void **state)
{
	struct fixture *f = *state;
	char run_id[40];
	for (int i = 0; i < 3; i++)
		leave_run(f, "http://127.0.0.1:1", 1, run_id);
	leave_run(f, f->server->url, 10, run_id);
	struct trk_sync_options options = {
		.size = sizeof options, .directory = f->folder, .patience_ms = 100};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&options, &result), TRK_UNREACHABLE);
	assert_int_equal(result.runs_total, 4);
	assert_int_equal(result.runs_delivered, 1);
	assert_int_equal(world_points(f->world), 10);
}

static bool stop_at_once(void *context, const struct trk_sync_progress *progress)
{
	(void)context;
	return progress->records_done == 0;
}

static void test_progress_can_stop_it_and_the_rest_comes_later(void **state)
{
	struct fixture *f = *state;
	char run_id[40];
	leave_run(f, f->server->url, 5000, run_id);
	struct trk_sync_options options = {
		.size = sizeof options, .directory = f->folder, .progress = stop_at_once};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&options, &result), TRK_TIMEOUT);
	assert_int_equal(result.runs_delivered, 0);
	assert_true(result.records_delivered >= 1);
	size_t delivered = result.records_delivered;
	options.progress = NULL;
	assert_int_equal(trk_sync(&options, &result), TRK_OK);
	assert_int_equal(result.records_delivered + delivered, 5002);
	assert_int_equal(world_points(f->world), 5000);
	assert_int_equal(f->world->duplicates_count, 0);
}

int main(void)
{
	unsetenv("TRK_RUN_ID");
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_to_do_is_fine_and_a_missing_folder_is_not),
		TEST(test_one_runs_folder_is_delivered_alone_with_progress),
		TEST(test_another_address_can_be_given),
		TEST(test_an_unreachable_server_does_not_hold_up_runs_of_another),
		TEST(test_progress_can_stop_it_and_the_rest_comes_later),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
