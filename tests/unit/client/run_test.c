#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "fake_server_helper.h"
#include "trk.h"

enum { PLENTY_MS = 20000 };

struct fixture {
	struct world *world;
	struct fake_server *server;
	char *folder;
	char error_text[1024];
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
	if (f->server != NULL)
		fake_server_stop(f->server);
	world_free(f->world);
	temporary_folder_remove(f->folder);
	free(f);
	return 0;
}

static struct trk_run_options options_of(struct fixture *f)
{
	struct trk_run_options options = {
		.size = sizeof options,
		.url = f->server->url,
		.experiment = "taxi",
		.spool_directory = f->folder,
		.error_text = f->error_text,
		.error_text_bytes = sizeof f->error_text,
	};
	return options;
}

static struct trk_run *start(struct fixture *f, const struct trk_run_options *options)
{
	struct trk_run *run;
	enum trk_status status = trk_run_start(options, &run);
	if (status != TRK_OK)
		fail_msg("%s: %s", trk_strerror(status), f->error_text);
	return run;
}

static size_t count_entries(const char *path)
{
	size_t count = 0;
	DIR *dir = opendir(path);
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count - 2;
}

static void write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void test_a_run_arrives_with_all_that_was_logged(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	const struct trk_pair tags[] = {{"team", "red"}, {"mlflow.source.name", "mine.c"}};
	options.tags = tags;
	options.tags_count = 2;
	options.run_name = "first";
	struct trk_run *run = start(f, &options);
	assert_int_equal(strlen(trk_run_id(run)), 32);
	assert_int_equal(trk_log_param(run, "text", "a \"b\" \xc3\xa4"), TRK_OK);
	assert_int_equal(trk_log_param_int(run, "int", -5), TRK_OK);
	assert_int_equal(trk_log_param_double(run, "double", 0.1), TRK_OK);
	assert_int_equal(trk_log_param_bool(run, "bool", true), TRK_OK);
	assert_int_equal(trk_log_paramf(run, "formatted", "%d-%s", 7, "x"), TRK_OK);
	assert_int_equal(trk_set_tagf(run, "tag", "%03d", 7), TRK_OK);
	assert_int_equal(trk_set_tag(run, "tag", "again"), TRK_OK);
	for (int i = 0; i < 10; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	assert_int_equal(trk_log_metric_at(run, "nan", (double)__builtin_nanf(""), 0, 5), TRK_OK);
	const struct trk_metric pair[] = {{"a", 1}, {"b", 2}};
	assert_int_equal(trk_log_metrics(run, pair, 2, 3), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_OK);
	assert_string_equal(f->world->run_status, "RUNNING");
	assert_string_equal(f->world->run_id, trk_run_id(run));
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);

	assert_string_equal(f->world->experiment, "taxi");
	assert_string_equal(f->world->run_status, "FINISHED");
	assert_true(strtoll(f->world->end_time, NULL, 10) > 1600000000000);
	assert_int_equal(world_points(f->world), 13);
	assert_string_equal(world_param(f->world, "text"), "a \"b\" \xc3\xa4");
	assert_string_equal(world_param(f->world, "int"), "-5");
	assert_string_equal(world_param(f->world, "double"), "0.1");
	assert_string_equal(world_param(f->world, "bool"), "true");
	assert_string_equal(world_param(f->world, "formatted"), "7-x");
	assert_string_equal(world_tag(f->world, "tag"), "again");
	assert_string_equal(world_tag(f->world, "team"), "red");
	assert_string_equal(world_tag(f->world, "mlflow.source.name"), "mine.c");
	assert_string_equal(world_tag(f->world, "mlflow.source.type"), "LOCAL");
	assert_string_equal(world_tag(f->world, "trk.version"), trk_version());
	assert_string_equal(world_tag(f->world, "trk.compiler"), TRK_COMPILER);
	assert_non_null(world_tag(f->world, "mlflow.user"));
	assert_non_null(world_tag(f->world, "trk.host"));
	assert_non_null(strstr(world_tag(f->world, "trk.command"), "run_test"));
	/* Delivered to the last record: nothing is left on the disk. */
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_points_go_in_batches_of_at_most_a_thousand(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(trk_log_metric_at(run, "loss", i * 0.25, i, 1000 + i), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
	assert_int_equal(world_points(f->world), 20000);
	assert_int_equal(f->world->duplicates_count, 0);
	assert_int_equal(f->world->metrics_in_batch_max, 1000);
	assert_true(f->world->body_bytes_max < 1100000);
	size_t batches = world_count_requests(f->world, "log-batch");
	assert_true(batches >= 20 && batches < 100);
}

static void test_params_and_tags_go_in_batches_of_at_most_a_hundred(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	for (int i = 0; i < 201; i++) {
		char key[20];
		snprintf(key, sizeof key, "param%d", i);
		assert_int_equal(trk_log_param_int(run, key, i), TRK_OK);
	}
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	assert_int_equal(trk_sync(&sync_options, NULL), TRK_OK);
	assert_int_equal(f->world->params_count, 201);
	assert_int_equal(world_count_requests(f->world, "log-batch"), 3);
}

static void test_big_values_keep_a_batch_below_a_megabyte(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	char *value = calloc(1, 300001);
	assert_non_null(value);
	memset(value, 'x', 300000);
	for (int i = 0; i < 7; i++) {
		char key[24];
		snprintf(key, sizeof key, "tag%d", i);
		assert_int_equal(trk_set_tag(run, key, value), TRK_OK);
	}
	free(value);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	assert_int_equal(trk_sync(&sync_options, NULL), TRK_OK);
	assert_int_equal(world_count_requests(f->world, "log-batch"), 3);
	assert_true(f->world->body_bytes_max <= 1000 * 1000);
}

static void test_faults_are_retried_without_loss_or_repeats(void **state)
{
	static const struct {
		enum fault kind;
		int status;
		int retry_after_s;
	} rows[] = {
		{FAULT_STATUS, 500, 0},	  {FAULT_STATUS, 502, 0}, {FAULT_STATUS, 503, 1},
		{FAULT_STATUS, 429, 0},	  {FAULT_STATUS, 408, 0}, {FAULT_DROP_BEFORE, 0, 0},
		{FAULT_DROP_AFTER, 0, 0}, {FAULT_STATUS, 507, 0},
	};
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		world_add_fault(f->world, rows[i].kind, rows[i].status, rows[i].retry_after_s);
	struct trk_run *run = start(f, &options);
	for (int i = 0; i < 3000; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
	assert_int_equal(f->world->faults_done, sizeof rows / sizeof rows[0]);
	assert_int_equal(world_points(f->world), 3000);
	assert_int_equal(f->world->runs_created, 1);
	assert_string_equal(f->world->run_status, "FINISHED");
}

static int64_t now_ms(void)
{
	struct timespec t;
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void test_the_server_is_left_alone_as_long_as_it_asks(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	world_add_fault(f->world, FAULT_STATUS, 503, 1);
	int64_t begin_ms = now_ms();
	struct trk_run *run = start(f, &options);
	/* Somebody who waits makes the sender hurry, but not against the server's word. */
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
	assert_true(now_ms() - begin_ms >= 1000);
}

static void test_a_restarted_server_gets_every_point(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	int port = f->server->port;
	int step = 0;
	for (int round = 0; round < 4; round++) {
		for (int i = 0; i < 5000; i++, step++)
			assert_int_equal(trk_log_metric(run, "loss", step, step), TRK_OK);
		world_wait_requests(f->world, "log-batch", (size_t)round + 1);
		fake_server_stop(f->server);
		f->server = NULL;
		for (int i = 0; i < 1000; i++, step++)
			assert_int_equal(trk_log_metric(run, "loss", step, step), TRK_OK);
		f->server = fake_server_start(f->world, port);
		assert_int_equal(trk_flush(run, PLENTY_MS), TRK_OK);
		assert_int_equal(world_points(f->world), step);
	}
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
	assert_int_equal(world_points(f->world), step);
}

static void test_without_a_server_the_run_waits_for_sync(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	int port = f->server->port;
	char url[64];
	snprintf(url, sizeof url, "%s", f->server->url);
	options.url = url;
	fake_server_stop(f->server);
	f->server = NULL;
	struct trk_run *run = start(f, &options);
	char run_id[40];
	snprintf(run_id, sizeof run_id, "%s", trk_run_id(run));
	for (int i = 0; i < 100; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	char text[512];
	assert_int_equal(trk_flush(run, 300), TRK_TIMEOUT);
	assert_true(trk_run_last_error(run, text, sizeof text) > 0);
	assert_non_null(strstr(text, url));
	struct trk_run_counts counts = {.size = sizeof counts};
	assert_int_equal(trk_run_counts(run, &counts), TRK_OK);
	assert_int_equal(counts.accepted, 101);
	assert_int_equal(counts.waiting, 101);
	assert_true(counts.server_is_away);
	assert_int_equal(trk_run_finish(run, TRK_RUN_KILLED, 10), TRK_TIMEOUT);

	struct trk_sync_options sync_options = {
		.size = sizeof sync_options, .directory = f->folder, .patience_ms = 300};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_UNREACHABLE);
	assert_int_equal(result.runs_total, 1);
	assert_int_equal(result.runs_delivered, 0);
	f->server = fake_server_start(f->world, port);
	assert_int_equal(trk_sync(&sync_options, &result), TRK_OK);
	assert_int_equal(result.runs_delivered, 1);
	assert_int_equal(result.records_delivered, 102);
	assert_int_equal(result.runs_closed, 0);
	assert_string_equal(f->world->run_id, run_id);
	assert_string_equal(f->world->run_status, "KILLED");
	assert_int_equal(world_points(f->world), 100);
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_one_refused_record_is_set_aside_and_the_rest_arrives(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	char path[300];
	snprintf(path, sizeof path, "%s/rejected/%s.jsonl", f->folder, trk_run_id(run));
	for (int i = 0; i < 2500; i++)
		assert_int_equal(
			trk_log_metric(run, i == 700 || i == 1999 ? "bad//name" : "loss", i, i),
			TRK_OK);
	assert_int_equal(trk_log_param(run, "badparam", "x"), TRK_OK);
	assert_int_equal(trk_log_param(run, "fine", "y"), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_REJECTED);
	assert_int_equal(result.records_rejected, 3);
	assert_int_equal(result.runs_delivered, 1);
	assert_int_equal(world_points(f->world), 2498);
	assert_string_equal(world_param(f->world, "fine"), "y");
	assert_string_equal(f->world->run_status, "FINISHED");
	/* Twice ten halvings a bad record, not a request for each good one. */
	assert_true(world_count_requests(f->world, "log-batch") < 80);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	char line[2000];
	int lines = 0;
	while (fgets(line, sizeof line, file) != NULL) {
		assert_non_null(strstr(line, "Invalid name"));
		lines++;
	}
	fclose(file);
	assert_int_equal(lines, 3);
	assert_int_equal(count_entries(f->folder), 1);
}

static void test_flush_tells_of_refused_records_once(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	char text[512];
	assert_int_equal(trk_log_metric(run, "bad", 1, 1), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_REJECTED);
	trk_run_last_error(run, text, sizeof text);
	assert_non_null(strstr(text, "metric bad was set aside"));
	assert_non_null(strstr(text, "Invalid name"));
	struct trk_run_counts counts = {.size = sizeof counts};
	assert_int_equal(trk_run_counts(run, &counts), TRK_OK);
	assert_int_equal(counts.rejected, 1);
	assert_int_equal(counts.waiting, 0);
	assert_int_equal(trk_log_metric(run, "good", 1, 1), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
}

static void test_a_refused_run_keeps_everything_in_the_spool(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	snprintf(f->world->experiment, sizeof f->world->experiment, "taxi");
	f->world->experiment_is_deleted = true;
	struct trk_run *run = start(f, &options);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_REJECTED);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_REJECTED);
	assert_int_equal(count_entries(f->folder), 1);

	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_REJECTED);
	assert_int_equal(result.runs_refused, 1);
	f->world->experiment_is_deleted = false;
	assert_int_equal(trk_sync(&sync_options, &result), TRK_OK);
	assert_int_equal(world_points(f->world), 2000);
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_a_run_deleted_meanwhile_is_not_set_aside_point_by_point(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_OK);
	f->world->run_is_deleted = true;
	for (int i = 0; i < 2000; i++)
		assert_int_equal(trk_log_metric(run, "loss", i, i), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_REJECTED);
	char text[512];
	trk_run_last_error(run, text, sizeof text);
	assert_non_null(strstr(text, "deleted"));
	assert_int_equal(trk_run_close(run, 100), TRK_REJECTED);
	f->world->run_is_deleted = false;
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	assert_int_equal(trk_sync(&sync_options, NULL), TRK_OK);
	assert_int_equal(world_points(f->world), 2000);
	assert_string_equal(f->world->run_status, "RUNNING");
}

static void test_a_server_that_is_no_trackerd_gets_one_stray_run_at_most(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	f->world->answers_foreign_run_ids = true;
	struct trk_run *run = start(f, &options);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_REJECTED);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 1000), TRK_REJECTED);
	assert_int_equal(world_count_requests(f->world, "runs/create"), 1);
}

static void test_files_and_directories_are_copied_before_the_call_returns(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	char *data = temporary_folder();
	char path[200];
	char nested[300];
	snprintf(path, sizeof path, "%s/note.txt", data);
	write_file(path, "the first content");
	assert_int_equal(trk_log_file(run, path, "texts/a b.txt"), TRK_OK);
	assert_int_equal(trk_log_file(run, path, NULL), TRK_OK);
	write_file(path, "something else");
	snprintf(nested, sizeof nested, "%s/model", data);
	assert_int_equal(mkdir(nested, 0700), 0);
	assert_int_equal(trk_log_directory(run, nested, "m"), TRK_FILE);
	snprintf(nested, sizeof nested, "%s/model/weights.bin", data);
	write_file(nested, "weights");
	snprintf(nested, sizeof nested, "%s/model/", data);
	assert_int_equal(trk_log_directory(run, nested, NULL), TRK_OK);
	assert_int_equal(trk_log_dataset_file(run, path, "training"), TRK_OK);
	temporary_folder_remove(data);
	assert_int_equal(trk_log_file(run, path, NULL), TRK_FILE);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);

	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	assert_int_equal(trk_sync(&sync_options, NULL), TRK_OK);
	static const struct {
		const char *prefix, *path, *content;
	} rows[] = {
		{"/api/2.0/mlflow-artifacts/artifacts", "texts/a%20b.txt", "the first content"},
		{"/api/2.0/mlflow-artifacts/artifacts", "note.txt", "the first content"},
		{"/api/trackerd/v1/archive", "model", "weights.bin"},
	};
	assert_int_equal(f->world->files_count, 3);
	for (size_t i = 0; i < 3; i++) {
		char url[200];
		snprintf(url, sizeof url, "%s/1/%s/artifacts/%s", rows[i].prefix, f->world->run_id,
			 rows[i].path);
		assert_non_null(world_file(f->world, url));
		assert_string_equal(world_file(f->world, url), rows[i].content);
	}
	assert_non_null(strstr(f->world->dataset, "\"name\":\"note.txt\""));
	assert_non_null(strstr(f->world->dataset, "mlflow.data.context"));
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_bad_arguments_are_answers(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	char name[252];
	memset(name, 'n', 251);
	name[251] = '\0';
	assert_int_equal(trk_log_metric(NULL, "a", 1, 1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_run_finish(NULL, TRK_RUN_FINISHED, 0), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_metric(run, NULL, 1, 1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_metric(run, "", 1, 1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_metric(run, name, 1, 1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_metric(run, name + 1, 1, 1), TRK_OK);
	assert_int_equal(trk_log_metric(run, "\xff", 1, 1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_metric_at(run, "a", 1, 1, -1), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_param(run, name, "x"), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_param(run, "a", NULL), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_file(run, "/etc/hostname", "../x"), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_file(run, "/etc/hostname", "/x"), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_file(run, "/etc/hostname", "a//x"), TRK_INVALID_ARGUMENT);
	assert_int_equal(trk_log_file(run, "/etc", "x"), TRK_FILE);
	assert_int_equal(trk_log_dataset(run, NULL), TRK_INVALID_ARGUMENT);
	const struct trk_metric mixed[] = {{"fine", 1}, {"", 2}};
	assert_int_equal(trk_log_metrics(run, mixed, 2, 3), TRK_INVALID_ARGUMENT);
	struct trk_run_counts counts = {.size = sizeof counts};
	assert_int_equal(trk_run_counts(run, &counts), TRK_OK);
	assert_int_equal(counts.accepted, 2);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
}

static void test_bad_options_are_answers_with_a_sentence(void **state)
{
	struct fixture *f = *state;
	struct trk_run *run;
	static const struct trk_pair no_key[] = {{NULL, "x"}};
	struct trk_run_options rows[6];
	for (size_t i = 0; i < 6; i++)
		rows[i] = options_of(f);
	rows[0].url = "ftp://somewhere";
	rows[1].run_id = "ABC";
	rows[2].parent_run_id = "0123";
	rows[3].tags = no_key;
	rows[3].tags_count = 1;
	rows[4].mode = (enum trk_mode)7;
	rows[5].spool_directory = "";
	for (size_t i = 0; i < 6; i++) {
		f->error_text[0] = '\0';
		run = (struct trk_run *)f;
		assert_int_equal(trk_run_start(&rows[i], &run), TRK_INVALID_ARGUMENT);
		assert_null(run);
		assert_true(strlen(f->error_text) > 10);
	}
	struct trk_run_options unwritable = options_of(f);
	unwritable.spool_directory = "/proc/nowhere";
	assert_int_equal(trk_run_start(&unwritable, &run), TRK_DISK);
	struct trk_run_options sizeless = {.size = 0};
	assert_int_equal(trk_run_start(&sizeless, &run), TRK_INVALID_ARGUMENT);
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_older_and_newer_option_structs_are_understood(void **state)
{
	struct fixture *f = *state;
	struct {
		struct trk_run_options known;
		char more[64];
	} newer;
	memset(&newer, 0, sizeof newer);
	newer.known = options_of(f);
	newer.known.size = sizeof newer;
	newer.known.mode = TRK_OFFLINE;
	struct trk_run *run;
	assert_int_equal(trk_run_start(&newer.known, &run), TRK_OK);
	assert_int_equal(trk_run_close(run, 0), TRK_OK);
	newer.more[60] = 1;
	assert_int_equal(trk_run_start(&newer.known, &run), TRK_INVALID_ARGUMENT);
	/* An older program ends its struct before the mode. */
	struct trk_run_options older = options_of(f);
	older.size = offsetof(struct trk_run_options, mode);
	older.mode = (enum trk_mode)99;
	assert_int_equal(trk_run_start(&older, &run), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
}

static void test_a_second_handle_is_told_that_the_run_is_busy(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	struct trk_run *run = start(f, &options);
	options.run_id = trk_run_id(run);
	struct trk_run *second;
	assert_int_equal(trk_run_start(&options, &second), TRK_BUSY);
	assert_non_null(strstr(f->error_text, "another process"));
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_OK);
	assert_int_equal(result.runs_busy, 1);
	assert_int_equal(result.runs_delivered, 0);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
}

static void test_a_continued_run_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	char run_id[40];
	snprintf(run_id, sizeof run_id, "%s", trk_run_id(run));
	assert_int_equal(trk_log_metric(run, "loss", 1, 1), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FAILED, PLENTY_MS), TRK_OK);
	assert_string_equal(f->world->run_status, "FAILED");

	const struct trk_pair tag = {"second", "yes"};
	options.run_id = run_id;
	options.tags = &tag;
	options.tags_count = 1;
	run = start(f, &options);
	assert_string_equal(trk_run_id(run), run_id);
	assert_int_equal(trk_log_metric(run, "loss", 2, 2), TRK_OK);
	assert_int_equal(trk_flush(run, PLENTY_MS), TRK_OK);
	assert_string_equal(f->world->run_status, "RUNNING");
	assert_string_equal(world_tag(f->world, "second"), "yes");
	assert_int_equal(trk_run_close(run, PLENTY_MS), TRK_OK);
	assert_string_equal(f->world->run_status, "RUNNING");
	assert_int_equal(f->world->runs_created, 1);
	assert_int_equal(world_points(f->world), 2);
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_a_child_after_fork_cannot_use_the_handle(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	struct trk_run *run = start(f, &options);
	assert_int_equal(trk_log_metric(run, "loss", 1, 1), TRK_OK);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		char text[100];
		bool ok = trk_log_metric(run, "loss", 2, 2) == TRK_FORKED &&
			  trk_flush(run, 1000) == TRK_FORKED &&
			  trk_log_param(run, "a", "b") == TRK_FORKED &&
			  strlen(trk_run_id(run)) == 32 &&
			  trk_run_last_error(run, text, sizeof text) > 0 &&
			  trk_run_finish(run, TRK_RUN_FAILED, 1000) == TRK_FORKED;
		_exit(ok ? 0 : 1);
	}
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_int_equal(trk_log_metric(run, "loss", 3, 3), TRK_OK);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK);
	assert_int_equal(world_points(f->world), 2);
	assert_string_equal(f->world->run_status, "FINISHED");
}

/* This program, started again as one that logs until it is killed and says after each call how far
 * it came. */
static int log_until_killed(char **arguments)
{
	const struct trk_run_options options = {
		.size = sizeof options,
		.url = arguments[0],
		.spool_directory = arguments[1],
		.mode = strcmp(arguments[2], "online") == 0 ? TRK_ONLINE : TRK_OFFLINE,
	};
	struct trk_run *run;
	if (trk_run_start(&options, &run) != TRK_OK)
		return 1;
	for (int64_t step = 0;; step++) {
		if (trk_log_metric(run, step % 3 == 0 ? "loss" : "accuracy", (double)step, step) !=
		    TRK_OK)
			return 2;
		if (step % 50 == 0 &&
		    write(STDOUT_FILENO, &step, sizeof step) != (ssize_t)sizeof step)
			return 3;
	}
}

static void kill_in_the_middle(struct fixture *f, bool is_online, int64_t after_step)
{
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (dup2(fds[1], STDOUT_FILENO) < 0 || close(fds[0]) != 0 || close(fds[1]) != 0)
			_exit(4);
		execl("/proc/self/exe", "run_test", "log", f->server->url, f->folder,
		      is_online ? "online" : "offline", (char *)NULL);
		_exit(5);
	}
	close(fds[1]);
	int64_t reported = 0;
	while (reported < after_step &&
	       read(fds[0], &reported, sizeof reported) == (ssize_t)sizeof reported)
		;
	kill(child, SIGKILL);
	int64_t last = reported;
	while (read(fds[0], &last, sizeof last) == (ssize_t)sizeof last)
		reported = last;
	close(fds[0]);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));

	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_OK);
	assert_int_equal(result.runs_closed, 1);
	assert_int_equal(result.runs_delivered, 1);
	assert_true(world_points(f->world) > (size_t)reported);
	assert_string_equal(f->world->run_status, "FAILED");
	assert_true(strtoll(f->world->end_time, NULL, 10) > 1600000000000);
	assert_int_equal(count_entries(f->folder), 0);
}

static void test_kill_9_offline_loses_no_point(void **state)
{
	kill_in_the_middle(*state, false, 10000);
}

static void test_kill_9_online_loses_no_point(void **state)
{
	kill_in_the_middle(*state, true, 10000);
}

static void test_finish_breaks_off_a_hanging_exchange_at_its_deadline(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	world_add_fault(f->world, FAULT_HOLD, 0, 0);
	struct trk_run *run = start(f, &options);
	world_wait_requests(f->world, "get-by-name", 1);
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 50), TRK_TIMEOUT);
	world_release(f->world);
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	assert_int_equal(trk_sync(&sync_options, NULL), TRK_OK);
	assert_string_equal(f->world->run_status, "FINISHED");
}

static void test_a_full_spool_refuses_and_keeps_what_it_has(void **state)
{
	struct fixture *f = *state;
	struct trk_run_options options = options_of(f);
	options.mode = TRK_OFFLINE;
	options.spool_bytes_max = 256 * 1024 + 512 * 1024;
	struct trk_run *run = start(f, &options);
	enum trk_status status = TRK_OK;
	size_t accepted = 0;
	while ((status = trk_log_metric(run, "loss", (double)accepted, (int64_t)accepted)) ==
	       TRK_OK)
		accepted++;
	assert_int_equal(status, TRK_SPOOL_FULL);
	assert_true(accepted > 15000);
	char text[256];
	trk_run_last_error(run, text, sizeof text);
	assert_non_null(strstr(text, "limit"));
	/* The end of a run always has room. */
	assert_int_equal(trk_run_finish(run, TRK_RUN_FINISHED, 0), TRK_OK);
	struct trk_sync_options sync_options = {.size = sizeof sync_options,
						.directory = f->folder};
	struct trk_sync_result result = {.size = sizeof result};
	assert_int_equal(trk_sync(&sync_options, &result), TRK_OK);
	assert_int_equal(world_points(f->world), accepted);
	assert_int_equal(result.runs_closed, 0);
	assert_string_equal(f->world->run_status, "FINISHED");
}

int main(int argc, char **argv)
{
	unsetenv("TRK_RUN_ID");
	unsetenv("TRK_OFFLINE");
	if (argc == 5 && strcmp(argv[1], "log") == 0)
		return log_until_killed(argv + 2);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_a_run_arrives_with_all_that_was_logged),
		TEST(test_points_go_in_batches_of_at_most_a_thousand),
		TEST(test_params_and_tags_go_in_batches_of_at_most_a_hundred),
		TEST(test_big_values_keep_a_batch_below_a_megabyte),
		TEST(test_faults_are_retried_without_loss_or_repeats),
		TEST(test_the_server_is_left_alone_as_long_as_it_asks),
		TEST(test_a_restarted_server_gets_every_point),
		TEST(test_without_a_server_the_run_waits_for_sync),
		TEST(test_one_refused_record_is_set_aside_and_the_rest_arrives),
		TEST(test_flush_tells_of_refused_records_once),
		TEST(test_a_refused_run_keeps_everything_in_the_spool),
		TEST(test_a_run_deleted_meanwhile_is_not_set_aside_point_by_point),
		TEST(test_a_server_that_is_no_trackerd_gets_one_stray_run_at_most),
		TEST(test_files_and_directories_are_copied_before_the_call_returns),
		TEST(test_bad_arguments_are_answers),
		TEST(test_bad_options_are_answers_with_a_sentence),
		TEST(test_older_and_newer_option_structs_are_understood),
		TEST(test_a_second_handle_is_told_that_the_run_is_busy),
		TEST(test_a_continued_run_goes_on_where_it_was),
		TEST(test_a_child_after_fork_cannot_use_the_handle),
		TEST(test_kill_9_offline_loses_no_point),
		TEST(test_kill_9_online_loses_no_point),
		TEST(test_finish_breaks_off_a_hanging_exchange_at_its_deadline),
		TEST(test_a_full_spool_refuses_and_keeps_what_it_has),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
