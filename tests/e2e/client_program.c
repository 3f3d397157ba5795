/* A program that is instrumented with libtrk, for client_daemon.py: it logs, is killed, and is
 * synced.
 *
 *     client_program log N             N points "loss" and N "accuracy"; prints the run's id and
 *                                      every 100th step
 *     client_program artifacts FILE DIR
 *     client_program refused           a parameter that changes its value
 *     client_program sync DIR
 * The address and the spool come from the environment (TRK_URL, TRK_SPOOL_DIR, TRK_OFFLINE). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trk.h>

enum { PLENTY_MS = 240000 };

static int expect(enum trk_status status, enum trk_status expected, const char *what)
{
	if (status != expected)
		fprintf(stderr, "%s: %s\n", what, trk_strerror(status));
	return status == expected ? 0 : 1;
}

static void print_log(void *context, enum trk_log_level level, const char *sentence)
{
	(void)context;
	fprintf(stderr, "log %d: %s\n", (int)level, sentence);
}

static struct trk_run *start(void)
{
	char text[1024] = "";
	const struct trk_run_options options = {
		.size = sizeof options,
		.experiment = "client-daemon",
		.log = print_log,
		.error_text = text,
		.error_text_bytes = sizeof text,
	};
	struct trk_run *run;
	if (trk_run_start(&options, &run) != TRK_OK) {
		fprintf(stderr, "%s\n", text);
		exit(1);
	}
	printf("run %s\n", trk_run_id(run));
	fflush(stdout);
	return run;
}

static int log_points(int64_t count)
{
	struct trk_run *run = start();
	for (int64_t step = 0; step < count; step++) {
		if (expect(trk_log_metric(run, "loss", (double)step, step), TRK_OK, "loss") != 0 ||
		    expect(trk_log_metric(run, "accuracy", -(double)step, step), TRK_OK,
			   "accuracy") != 0)
			return 1;
		if (step % 100 == 0) {
			printf("step %" PRId64 "\n", step);
			fflush(stdout);
		}
	}
	enum trk_status status = trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS);
	return expect(status, TRK_OK, "finish");
}

static int log_artifacts(const char *file, const char *directory)
{
	struct trk_run *run = start();
	int failed = expect(trk_log_file(run, file, "files/a b.bin"), TRK_OK, "file");
	failed |= expect(trk_log_directory(run, directory, "model"), TRK_OK, "directory");
	failed |= expect(trk_log_dataset_file(run, file, "training"), TRK_OK, "dataset");
	failed |= expect(trk_flush(run, PLENTY_MS), TRK_OK, "flush");
	/* The same again replaces them. */
	failed |= expect(trk_log_directory(run, directory, "model"), TRK_OK, "directory again");
	failed |= expect(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK, "finish");
	return failed;
}

static int log_refused(void)
{
	char text[1024];
	struct trk_run *run = start();
	int failed = expect(trk_log_param(run, "alpha", "1"), TRK_OK, "param");
	failed |= expect(trk_log_param(run, "alpha", "1"), TRK_OK, "the same param");
	failed |= expect(trk_log_param(run, "alpha", "2"), TRK_OK, "another value");
	failed |= expect(trk_log_metric(run, "a//b", 1, 1), TRK_OK, "a name");
	failed |= expect(trk_log_metric(run, "fine", 1, 1), TRK_OK, "a metric");
	failed |= expect(trk_flush(run, PLENTY_MS), TRK_REJECTED, "flush");
	(void)trk_run_last_error(run, text, sizeof text);
	printf("refused %s\n", text);
	failed |= expect(trk_run_finish(run, TRK_RUN_FINISHED, PLENTY_MS), TRK_OK, "finish");
	return failed;
}

static int sync_spool(const char *directory)
{
	char text[1024] = "";
	const struct trk_sync_options options = {
		.size = sizeof options,
		.directory = directory,
		.patience_ms = PLENTY_MS,
		.log = print_log,
		.error_text = text,
		.error_text_bytes = sizeof text,
	};
	struct trk_sync_result result = {.size = sizeof result};
	enum trk_status status = trk_sync(&options, &result);
	printf("delivered %zu of %zu runs, closed %zu, records %" PRIu64 "\n",
	       result.runs_delivered, result.runs_total, result.runs_closed,
	       result.records_delivered);
	if (status != TRK_OK)
		fprintf(stderr, "%s\n", text);
	return expect(status, TRK_OK, "sync");
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "log") == 0)
		return log_points(strtoll(argv[2], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "artifacts") == 0)
		return log_artifacts(argv[2], argv[3]);
	if (argc == 2 && strcmp(argv[1], "refused") == 0)
		return log_refused();
	if (argc == 3 && strcmp(argv[1], "sync") == 0)
		return sync_spool(argv[2]);
	fprintf(stderr, "usage: see the head of client_program.c\n");
	return 2;
}
