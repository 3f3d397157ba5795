/* The ring of changes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "api/live_json.h"
#include "api/live_ring.h"
#include "limits.h"

static struct live_ring ring;

static int open_ring(void **state)
{
	(void)state;
	return live_ring_init(&ring) ? 0 : -1;
}

static int close_ring(void **state)
{
	(void)state;
	live_ring_deinit(&ring);
	return 0;
}

/* Notes a change of run number `run`; does it ask to be published? */
static bool note_run(int64_t run, unsigned what)
{
	char id[33];
	(void)snprintf(id, sizeof(id), "%032lld", (long long)run);
	const struct live_note note = {
		.subject = LIVE_RUN, .id = slice_from_cstr(id), .experiment_id = 3, .what = what};
	return live_ring_note(&ring, &note);
}

static bool note_experiment(int64_t experiment_id, unsigned what)
{
	const struct live_note note = {
		.subject = LIVE_EXPERIMENT, .experiment_id = experiment_id, .what = what};
	return live_ring_note(&ring, &note);
}

static void assert_json(uint64_t seq, const char *expected)
{
	struct buffer text;
	buffer_init(&text, 4096);
	live_json_change(&text, live_ring_at(&ring, seq));
	buffer_append_byte(&text, '\0');
	assert_string_equal(buffer_slice(&text).ptr, expected);
	buffer_deinit(&text);
}

static void test_changes_of_one_run_become_one(void **state)
{
	(void)state;
	assert_false(note_run(1, LIVE_METRICS));
	assert_false(note_experiment(3, LIVE_TAGS));
	assert_false(note_run(2, LIVE_PARAMS));
	assert_false(note_run(1, LIVE_TAGS));
	assert_false(note_experiment(3, LIVE_NAME));
	const struct live_note ended = {.subject = LIVE_RUN,
					.id = SLICE("00000000000000000000000000000001"),
					.experiment_id = 3,
					.what = LIVE_STATUS,
					.status_or_absent = SLICE("FINISHED")};
	assert_false(live_ring_note(&ring, &ended));
	assert_int_equal(ring.published_seq, 0);
	live_ring_publish(&ring);
	assert_int_equal(ring.published_seq, 3);
	assert_json(1, "{\"run_id\":\"00000000000000000000000000000001\",\"experiment_id\":\"3\","
		       "\"what\":[\"status\",\"metrics\",\"tags\"],\"status\":\"FINISHED\"}");
	assert_json(2, "{\"experiment_id\":\"3\",\"what\":[\"name\",\"tags\"]}");
	assert_json(3, "{\"run_id\":\"00000000000000000000000000000002\",\"experiment_id\":\"3\","
		       "\"what\":[\"params\"]}");
	/* What was published is not touched any more. */
	assert_false(note_run(1, LIVE_DELETED));
	live_ring_publish(&ring);
	assert_int_equal(ring.published_seq, 4);
	assert_int_equal(live_ring_at(&ring, 4)->what, LIVE_DELETED);
}

static void test_a_long_run_id_is_kept_whole(void **state)
{
	(void)state;
	char id[201];
	memset(id, 'x', sizeof(id));
	for (size_t len = 31; len <= 200; len += len == 31 || len == 32 ? 1 : 167) {
		const struct live_note note = {
			.subject = LIVE_RUN, .id = slice_make(id, len), .what = LIVE_TAGS};
		assert_false(live_ring_note(&ring, &note));
		assert_false(live_ring_note(&ring, &note));
	}
	assert_int_equal(ring.pending_count, 4);
	live_ring_publish(&ring);
	assert_int_equal(live_change_run_id(live_ring_at(&ring, 1)).len, 31);
	assert_int_equal(live_change_run_id(live_ring_at(&ring, 4)).len, 200);
}

static void test_too_many_pending_ask_to_be_published(void **state)
{
	(void)state;
	for (int i = 1; i < LIVE_PENDING_MAX; i++)
		assert_false(note_run(i, LIVE_METRICS));
	assert_false(note_run(1, LIVE_TAGS)); /* is there already */
	assert_true(note_run(LIVE_PENDING_MAX, LIVE_METRICS));
	live_ring_publish(&ring);
	assert_int_equal(ring.published_seq, LIVE_PENDING_MAX);
}

static void test_the_oldest_leave_when_it_is_full(void **state)
{
	(void)state;
	assert_true(live_ring_reaches(&ring, 0));
	assert_false(live_ring_reaches(&ring, 1)); /* the future */
	for (int i = 1; i <= LIVE_RING_CHANGES; i++) {
		if (note_run(i, LIVE_METRICS))
			live_ring_publish(&ring);
	}
	live_ring_publish(&ring);
	assert_true(live_ring_reaches(&ring, 0));
	assert_true(live_ring_reaches(&ring, LIVE_RING_CHANGES));
	assert_int_equal(live_ring_at(&ring, 1)->what, LIVE_METRICS);
	(void)note_run(1, LIVE_TAGS);
	assert_false(live_ring_reaches(&ring, 0)); /* overwritten, though not published yet */
	assert_true(live_ring_reaches(&ring, 1));
	live_ring_publish(&ring);
	assert_false(live_ring_reaches(&ring, 0));
	assert_true(live_ring_reaches(&ring, 1));
	assert_int_equal(live_ring_at(&ring, LIVE_RING_CHANGES + 1)->what, LIVE_TAGS);
}

static void test_what_is_forgotten_reaches_nobody(void **state)
{
	(void)state;
	(void)note_run(1, LIVE_METRICS);
	live_ring_publish(&ring);
	(void)note_run(2, LIVE_METRICS);
	live_ring_forget(&ring);
	assert_int_equal(ring.pending_count, 0);
	for (uint64_t seq = 0; seq < ring.published_seq; seq++)
		assert_false(live_ring_reaches(&ring, seq));
	assert_true(live_ring_reaches(&ring, ring.published_seq));
	uint64_t before = ring.published_seq;
	(void)note_run(2, LIVE_TAGS);
	live_ring_publish(&ring);
	assert_int_equal(ring.published_seq, before + 1);
	assert_true(live_ring_reaches(&ring, before));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_changes_of_one_run_become_one, open_ring, close_ring),
		cmocka_unit_test_setup_teardown(test_a_long_run_id_is_kept_whole, open_ring, close_ring),
		cmocka_unit_test_setup_teardown(test_too_many_pending_ask_to_be_published, open_ring,
						close_ring),
		cmocka_unit_test_setup_teardown(test_the_oldest_leave_when_it_is_full, open_ring,
						close_ring),
		cmocka_unit_test_setup_teardown(test_what_is_forgotten_reaches_nobody, open_ring,
						close_ring),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
