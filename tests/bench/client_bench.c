/* What trk_log_metric costs the loop that calls it: every call of a million timed, median and tail
 * printed.
 *
 *     client_bench [URL]     with a daemon at URL the sender delivers meanwhile */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <trk.h>
#include <unistd.h>

enum { CALLS = 1000000, NAMES = 10 };

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;
	return (*left > *right) - (*left < *right);
}

int main(int argc, char **argv)
{
	char spool[] = "/tmp/trk-bench-XXXXXX";
	char name[NAMES][24];
	char text[1024];
	struct trk_run *run;
	uint32_t *costs = malloc(CALLS * sizeof *costs);
	if (costs == NULL || mkdtemp(spool) == NULL)
		return 1;
	struct trk_run_options options = {
		.size = sizeof options,
		.url = argc > 1 ? argv[1] : NULL,
		.experiment = "client-bench",
		.mode = argc > 1 ? TRK_ONLINE : TRK_OFFLINE,
		.spool_directory = spool,
		.error_text = text,
		.error_text_bytes = sizeof text,
	};
	if (trk_run_start(&options, &run) != TRK_OK) {
		fprintf(stderr, "%s\n", text);
		return 1;
	}
	for (int i = 0; i < NAMES; i++)
		(void)snprintf(name[i], sizeof name[i], "metric_%d", i);
	int64_t begin = now_ns();
	for (int i = 0; i < CALLS; i++) {
		int64_t before = now_ns();
		if (trk_log_metric(run, name[i % NAMES], i * 0.5, i / NAMES) != TRK_OK)
			return 1;
		costs[i] = (uint32_t)(now_ns() - before);
	}
	int64_t logged = now_ns();
	enum trk_status status = trk_flush(run, argc > 1 ? 120000 : 0);
	int64_t flushed = now_ns();
	qsort(costs, CALLS, sizeof *costs, compare);
	printf("calls=%d median_ns=%u p90_ns=%u p99_ns=%u p999_ns=%u max_us=%u calls_per_s=%.0f\n",
	       CALLS, costs[CALLS / 2], costs[CALLS / 10 * 9], costs[CALLS / 100 * 99],
	       costs[CALLS / 1000 * 999], costs[CALLS - 1] / 1000,
	       CALLS / ((double)(logged - begin) / 1e9));
	printf("flush_ms=%.1f status=\"%s\"", (double)(flushed - logged) / 1e6,
	       trk_strerror(status));
	if (argc > 1)
		printf(" delivered_points_per_s=%.0f", CALLS / ((double)(flushed - begin) / 1e9));
	printf("\n");
	(void)trk_run_finish(run, TRK_RUN_FINISHED, 10000);
	printf("spool=%s (may be removed)\n", spool);
	free(costs);
	return 0;
}
