/* Versions that come and go, as a follower offers them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

#include "base/checked.h"
#include "serve/reload.h"

enum { PATIENCE_MS = 60000, TICK_MS = 50, OFFERS_MAX = 20 };

/* Does what the name of the version says, else answers with the version. */
static const char command[] =
	"case $TRK_VERSION in\n"
	"sick*) exit 3;;\n"
	"silent*) read p; read q; exit;;\n"
	"hanging*) read p; echo '{\"id\":0}'; read q; read r; exit;;\n"
	"stubborn*) read p; echo '{\"id\":0}'; exec sleep 1000;;\n"
	"esac\n"
	"while read -r line; do id=${line#*:}; echo \"{\\\"id\\\":${id%%,*},\\\"predictions\\\":"
	"\\\"$TRK_VERSION\\\"}\"; done\n";

/* What a follower does; it is another process. */
struct offer {
	const char *version;
	const char *refusal_or_null; /* a part of its reason; NULL: it must be accepted */
	bool is_last_word;	     /* it ends without waiting for the verdict */
	const char *after_or_null;   /* a file that must be there first */
};

struct site {
	uv_loop_t loop;
	uv_timer_t tick; /* so that waiting ends */
	struct reload *reload;
	struct serve_metrics metrics;
	const struct offer *offers;	  /* ends with one without a version */
	const struct offer *later_offers; /* of the next follower, when something is served */
	int64_t start_timeout_ms, timeout_ms;
	int active_count, gave_up_count, over_count;
	char answer[64];
	struct error why; /* of the last request that was lost, or of giving up */
};

/* ---- the follower ---------------------------------------------------------------------------- */

static bool send_message(int fd, const struct follow_message *m)
{
	struct buffer line;
	buffer_init(&line, FOLLOW_MESSAGE_BYTES_MAX);
	follow_message_write(m, &line);
	bool ok = write(fd, line.ptr_or_null, line.len) == (ssize_t)line.len;
	buffer_deinit(&line);
	return ok;
}

static bool make_offer(int output_fd, const char *version)
{
	static char path[] = "/nosuch", empty[] = "", model[] = "m";
	char name[32];
	(void)snprintf(name, sizeof(name), "%s", version);
	return send_message(output_fd, &(struct follow_message){.kind = FOLLOW_OFFER,
								.model = {.name = name,
									  .path = path,
									  .model = model,
									  .version = name,
									  .alias = empty,
									  .run_id = empty}});
}

static bool verdict_is_right(FILE *input, const struct offer *offer)
{
	struct follow_message verdict;
	struct arena arena;
	struct error err;
	char line[4096];
	if (fgets(line, sizeof(line), input) == NULL)
		return false;
	arena_init(&arena, (size_t)1024 * 1024);
	bool ok = follow_message_read(slice_from_cstr(line), &arena, &verdict, &err);
	if (ok && offer->refusal_or_null == NULL)
		ok = verdict.kind == FOLLOW_ACCEPTED;
	else if (ok)
		ok = verdict.kind == FOLLOW_REFUSED &&
		     strstr(verdict.text, offer->refusal_or_null) != NULL;
	arena_deinit(&arena);
	return ok;
}

/* A verdict that is wrong ends the offers, which the test waits for in vain. */
static int follow(void *ctx, int input_fd, int output_fd, const char *active_name,
		  const char *address)
{
	const struct site *site = ctx;
	const struct offer *offer = active_name[0] == '\0' ? site->offers : site->later_offers;
	FILE *input = fdopen(input_fd, "r");
	const struct timespec turn = {.tv_nsec = 10000000};
	(void)address;
	for (; offer->version != NULL; offer++) {
		while (offer->after_or_null != NULL && access(offer->after_or_null, F_OK) != 0)
			(void)nanosleep(&turn, NULL);
		if (!make_offer(output_fd, offer->version) || offer->is_last_word)
			return 1;
		if (!verdict_is_right(input, offer))
			break;
	}
	if (active_name[0] == '\0' && site->offers->version == NULL)
		(void)send_message(output_fd, &(struct follow_message){.kind = FOLLOW_GIVE_UP,
								       .text = "nothing there",
								       .code = ERR_NOT_FOUND});
	(void)fgetc(input); /* until the server ends */
	return 0;
}

/* ---- the server ------------------------------------------------------------------------------ */

static void on_active(void *ctx)
{
	struct site *site = ctx;
	site->active_count++;
}

static void on_gave_up(const struct error *why, void *ctx)
{
	struct site *site = ctx;
	site->gave_up_count++;
	site->why = *why;
}

static void on_idle(struct workers *ws, void *ctx)
{
	(void)ws;
	(void)ctx;
}

static void on_answered(struct workers *ws, struct request *r, const struct answer *answer,
			void *ctx)
{
	struct site *site = ctx;
	(void)ws;
	site->over_count++;
	(void)snprintf(site->answer, sizeof(site->answer), "%.*s", SLICE_FMT(answer->predictions));
	request_free(r);
}

static void on_lost(struct workers *ws, struct request *r, const struct error *why, void *ctx)
{
	struct site *site = ctx;
	(void)ws;
	site->over_count++;
	site->why = *why;
	request_free(r);
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void start(struct site *site)
{
	struct error err;
	const struct reload_options options = {
		.workers = {.command = command,
			    .count = 1,
			    .start_timeout_ms = site->start_timeout_ms,
			    .timeout_ms = site->timeout_ms,
			    .answer_bytes_max = 1000,
			    .line_bytes_max = 1000,
			    .idle_cb = on_idle,
			    .answered_cb = on_answered,
			    .lost_cb = on_lost},
		.follow = follow,
		.follow_ctx = site,
		.address = "http://127.0.0.1:1",
		.metrics = &site->metrics,
		.active_cb = on_active,
		.gave_up_cb = on_gave_up,
		.ctx = site,
	};
	assert_int_equal(uv_loop_init(&site->loop), 0);
	assert_int_equal(uv_timer_init(&site->loop, &site->tick), 0);
	assert_int_equal(uv_timer_start(&site->tick, on_tick, TICK_MS, TICK_MS), 0);
	assert_true(reload_open(&site->loop, &options, &site->reload, &err));
}

static const char *active_version(const struct site *site)
{
	const struct workers *ws = reload_active(site->reload);
	return ws != NULL ? workers_model(ws)->version : "";
}

static void run_once(struct site *site, uint64_t end)
{
	assert_true(uv_now(&site->loop) < end);
	(void)uv_run(&site->loop, UV_RUN_ONCE);
}

static void run_until(struct site *site, const int *count, int wanted)
{
	uint64_t end = uv_now(&site->loop) + PATIENCE_MS;
	while (*count < wanted)
		run_once(site, end);
}

static void run_until_active(struct site *site, const char *version)
{
	uint64_t end = uv_now(&site->loop) + PATIENCE_MS;
	while (strcmp(active_version(site), version) != 0)
		run_once(site, end);
}

/* The active version must have a worker that is idle. */
static void ask(struct site *site)
{
	struct request *r = calloc(1, sizeof(*r));
	assert_non_null(r);
	r->id = 9;
	buffer_init(&r->line, 100);
	buffer_append(&r->line, SLICE("{\"id\":9,\"inputs\":1}\n"));
	workers_ask(reload_active(site->reload), r);
}

static void finish(struct site *site)
{
	reload_close(site->reload);
	uv_close((uv_handle_t *)&site->tick, NULL);
	assert_int_equal(uv_run(&site->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&site->loop), 0);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_a_version_that_is_refused_leaves_the_one_before(void **state)
{
	static const struct offer offers[] = {
		{"1", NULL}, {"sick", "it ended with status 3"},
		{"1", NULL}, /* as it was: accepted, and nothing is started */
		{"2", NULL}, {NULL, NULL},
	};
	struct site site = {
		.offers = offers, .start_timeout_ms = PATIENCE_MS, .timeout_ms = PATIENCE_MS};
	(void)state;
	start(&site);
	run_until_active(&site, "1");
	ask(&site);
	run_until(&site, &site.over_count, 1);
	assert_string_equal(site.answer, "\"1\"");
	run_until_active(&site, "2");
	assert_int_equal(site.metrics.failed_reloads, 1);
	assert_int_equal(site.metrics.reloads, 2);
	assert_int_equal(site.active_count, 2);
	ask(&site);
	run_until(&site, &site.over_count, 2);
	assert_string_equal(site.answer, "\"2\"");
	finish(&site);
}

static void test_a_version_whose_probe_hangs_is_refused(void **state)
{
	static const struct offer offers[] = {
		{"1", NULL},
		{"silent", "did not answer the probe within 3000 ms"},
		{"2", NULL},
		{NULL, NULL},
	};
	struct site site = {.offers = offers, .start_timeout_ms = 3000, .timeout_ms = PATIENCE_MS};
	(void)state;
	start(&site);
	run_until_active(&site, "1");
	while (site.metrics.failed_reloads == 0) {
		ask(&site);
		run_until(&site, &site.over_count, site.over_count + 1);
		assert_string_equal(site.answer, "\"1\"");
		(void)uv_run(&site.loop, UV_RUN_ONCE);
	}
	run_until_active(&site, "2");
	finish(&site);
}

/* The follower died after its offer, and what starts it again offers something else. */
static void test_an_offer_takes_the_place_of_one_that_nobody_waits_for(void **state)
{
	static const struct offer offers[] = {{"1", NULL}, {"silent", NULL, true}, {NULL, NULL}};
	static const struct offer later[] = {{"2", NULL}, {NULL, NULL}};
	struct site site = {.offers = offers,
			    .later_offers = later,
			    .start_timeout_ms = PATIENCE_MS,
			    .timeout_ms = PATIENCE_MS};
	(void)state;
	start(&site);
	run_until_active(&site, "2");
	assert_int_equal(site.metrics.reloads, 2);
	assert_int_equal(site.metrics.failed_reloads, 0);
	finish(&site);
}

static void test_what_is_at_a_request_has_the_time_of_a_request_to_finish(void **state)
{
	char file[] = "/tmp/reload-XXXXXX";
	struct site site = {.start_timeout_ms = PATIENCE_MS, .timeout_ms = 2000};
	(void)state;
	int fd = mkstemp(file);
	assert_true(fd >= 0 && close(fd) == 0 && unlink(file) == 0);
	const struct offer offers[] = {{"hanging", NULL}, {"2", NULL, false, file}, {NULL, NULL}};
	site.offers = offers;
	start(&site);
	run_until_active(&site, "hanging");
	ask(&site);
	FILE *go = fopen(file, "w");
	assert_true(go != NULL && fclose(go) == 0);
	run_until(&site, &site.over_count, 1);
	assert_int_equal(site.why.code, ERR_REQUEST_TIMEOUT);
	run_until_active(&site, "2");
	assert_int_equal(site.metrics.restarts, 0);
	assert_int_equal(unlink(file), 0);
	finish(&site);
}

/* Workers that do not end take their time; there is room for so many versions of them. */
static void test_versions_that_do_not_end_make_room(void **state)
{
	static char names[OFFERS_MAX][16];
	struct offer offers[OFFERS_MAX + 1] = {0};
	struct site site = {
		.offers = offers, .start_timeout_ms = PATIENCE_MS, .timeout_ms = PATIENCE_MS};
	(void)state;
	for (size_t i = 0; i < OFFERS_MAX; i++) {
		(void)snprintf(names[i], sizeof(names[i]),
			       i < OFFERS_MAX - 1 ? "stubborn%zu" : "%zu", i);
		offers[i].version = names[i];
	}
	start(&site);
	run_until_active(&site, names[OFFERS_MAX - 1]);
	assert_int_equal(site.metrics.reloads, OFFERS_MAX);
	finish(&site);
}

static void test_a_follower_that_finds_nothing_gives_up(void **state)
{
	static const struct offer none = {NULL, NULL};
	struct site site = {
		.offers = &none, .start_timeout_ms = PATIENCE_MS, .timeout_ms = PATIENCE_MS};
	(void)state;
	start(&site);
	run_until(&site, &site.gave_up_count, 1);
	assert_int_equal(site.why.code, ERR_NOT_FOUND);
	assert_string_equal(site.why.message, "nothing there");
	assert_null(reload_active(site.reload));
	finish(&site);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_version_that_is_refused_leaves_the_one_before),
		cmocka_unit_test(test_a_version_whose_probe_hangs_is_refused),
		cmocka_unit_test(test_an_offer_takes_the_place_of_one_that_nobody_waits_for),
		cmocka_unit_test(test_what_is_at_a_request_has_the_time_of_a_request_to_finish),
		cmocka_unit_test(test_versions_that_do_not_end_make_room),
		cmocka_unit_test(test_a_follower_that_finds_nothing_gives_up),
	};
	/* As main of trk does: a worker that died is no reason to. */
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
