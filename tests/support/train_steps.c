/* A training program for tests that kill it: prints each step when trk_log_metric has accepted it, and nothing before.
 *
 *     train_steps EXPERIMENT STEPS PAUSE_US    with TRK_URL and TRK_SPOOL_DIR in the environment
 *
 * First line: the run's id. Then one line "step timestamp" for each point of the metrics "loss" (the step divided by 8)
 * and "square". Ends with the run finished and status 0, unless something failed. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <trk.h>

enum { FINISH_TIMEOUT_MS = 240000 };

static int fail(const char *what, enum trk_status status)
{
	(void)fprintf(stderr, "train_steps: %s: %s\n", what, trk_strerror(status));
	return 1;
}

static int64_t now_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail for this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int main(int argc, char **argv)
{
	struct trk_run *run;
	if (argc != 4) {
		(void)fprintf(stderr, "usage: train_steps EXPERIMENT STEPS PAUSE_US\n");
		return 2;
	}
	const long steps = strtol(argv[2], NULL, 10), pause_us = strtol(argv[3], NULL, 10);
	const struct timespec pause = {.tv_sec = pause_us / 1000000, .tv_nsec = pause_us % 1000000 * 1000};
	const struct trk_run_options options = {.size = sizeof(options), .experiment = argv[1]};
	enum trk_status status = trk_run_start(&options, &run);
	if (status != TRK_OK)
		return fail("start", status);
	printf("%s\n", trk_run_id(run));
	(void)fflush(stdout); /* whoever reads may be gone */
	for (long step = 0; step < steps; step++) {
		const int64_t time_ms = now_ms();
		status = trk_log_metric_at(run, "loss", (double)step / 8, step, time_ms);
		if (status == TRK_OK)
			status = trk_log_metric_at(run, "square", (double)step * (double)step, step, time_ms);
		if (status != TRK_OK)
			return fail("log", status);
		printf("%ld %lld\n", step, (long long)time_ms);
		(void)fflush(stdout); /* as above */
		if (pause_us > 0)
			(void)nanosleep(&pause, NULL); /* shorter is fine, too */
	}
	status = trk_run_finish(run, TRK_RUN_FINISHED, FINISH_TIMEOUT_MS);
	return status == TRK_OK ? 0 : fail("finish", status);
}
