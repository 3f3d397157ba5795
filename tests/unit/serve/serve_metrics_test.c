/* What is counted about serving, and its text. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/serve_metrics.h"

static void check_has(const struct buffer *text, const char *line)
{
	if (!slice_contains(buffer_slice(text), slice_from_cstr(line)))
		fail_msg("no \"%s\" in:\n%.*s", line, SLICE_FMT(buffer_slice(text)));
}

/* Bounds belong to the bucket below them; each bucket counts those before it, too. */
static void test_durations_are_counted_up_to_their_bounds(void **state)
{
	static const int64_t durations_us[] = {-1, 0, 100, 101, 250, 1000000, 30000000, 30000001};
	static const char *const lines[] = {
		"# TYPE trk_serve_request_seconds histogram\n",
		"_bucket{le=\"0.0001\"} 3\n",
		"_bucket{le=\"0.00025\"} 5\n",
		"_bucket{le=\"0.5\"} 5\n",
		"_bucket{le=\"1\"} 6\n",
		"_bucket{le=\"30\"} 7\n",
		"_bucket{le=\"+Inf\"} 8\n",
		"trk_serve_request_seconds_sum 61.000452\n",
		"trk_serve_request_seconds_count 8\n",
		"# TYPE trk_serve_requests_total counter\n",
		"trk_serve_requests_total{status=\"0\"} 3\n",
		"trk_serve_requests_total{status=\"200\"} 4\n",
		"trk_serve_requests_total{status=\"599\"} 1\n",
	};
	static const int statuses[] = {-1, 0, 200, 200, 200, 200, 599, 600};
	struct serve_metrics m = {0};
	const struct serve_gauges g = {0};
	struct buffer text;
	(void)state;
	buffer_init(&text, (size_t)64 * 1024);
	for (size_t i = 0; i < ARRAY_COUNT(durations_us); i++)
		serve_metrics_request(&m, statuses[i], durations_us[i]);
	serve_metrics_write(&m, &g, &text);
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		check_has(&text, lines[i]);
	assert_false(slice_contains(buffer_slice(&text), SLICE("model_info")));
	buffer_deinit(&text);
}

static void test_gauges_are_told_as_they_stand(void **state)
{
	static char model[] = "a\"b\\c\nd", version[] = "3", alias[] = "at", empty[] = "";
	const struct served_model served = {
		.model = model, .version = version, .alias = alias, .run_id = empty};
	const struct serve_metrics m = {.restarts = 4, .reloads = 5, .failed_reloads = 6};
	const struct serve_gauges g = {.queued = 1,
				       .queue_max = 2,
				       .workers_ready = 7,
				       .workers_wanted = 8,
				       .connections_open = 9,
				       .is_server_reachable = true,
				       .since_ms = 1700000000999,
				       .model_or_null = &served};
	static const char *const lines[] = {
		"trk_serve_queue_length 1\n",
		"trk_serve_queue_length_max 2\n",
		"trk_serve_workers_ready 7\n",
		"trk_serve_workers_wanted 8\n",
		"trk_serve_worker_restarts_total 4\n",
		"trk_serve_reloads_total 5\n",
		"trk_serve_reloads_failed_total 6\n",
		"trk_serve_connections_open 9\n",
		"trk_serve_server_reachable 1\n",
		"trk_serve_version_since_seconds 1700000000\n",
		"_info{model=\"a\\\"b\\\\c\\nd\",version=\"3\",alias=\"at\",run_id=\"\"} 1\n",
	};
	struct buffer text;
	(void)state;
	buffer_init(&text, (size_t)64 * 1024);
	serve_metrics_write(&m, &g, &text);
	for (size_t i = 0; i < ARRAY_COUNT(lines); i++)
		check_has(&text, lines[i]);
	buffer_deinit(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations_are_counted_up_to_their_bounds),
		cmocka_unit_test(test_gauges_are_told_as_they_stand),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
