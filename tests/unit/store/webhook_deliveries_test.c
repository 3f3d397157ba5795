/* The outbox and the log of deliveries: who gets what, in which order, and what is kept. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/webhook_deliveries.h"

#include <stdio.h>

#include "limits.h"
#include "store/webhooks.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)
#define DAY_MS	   ((int64_t)24 * 60 * 60 * 1000)

static struct webhook make_webhook(struct tracker_db *t, const char *id, bool is_active)
{
	const struct webhook_event_kind *kind =
		webhook_event_kind_find(WEBHOOK_REGISTERED_MODEL, WEBHOOK_CREATED);
	const struct webhook new = {.webhook_id = slice_from_cstr(id),
				    .name = SLICE("name"),
				    .description = SLICE(""),
				    .url = SLICE("https://hooks.example"),
				    .secret = SLICE("secret"),
				    .is_active = is_active,
				    .creation_time_ms = TRACKER_DB_NOW_MS,
				    .last_updated_time_ms = TRACKER_DB_NOW_MS,
				    .events = &kind,
				    .event_count = 1};
	struct webhook made = {0};
	CHECK(t, webhook_insert_in_txn(t->db, &new, &t->err));
	CHECK(t, webhook_load(t->db, new.webhook_id, &t->arena, &made, &t->err));
	return made;
}

static void emit(struct tracker_db *t, int64_t time_ms)
{
	const struct webhook_event event = {.entity = SLICE("registered_model"),
					    .action = SLICE("created"),
					    .data = SLICE("{\"n\": 1}"),
					    .time_ms = time_ms};
	CHECK(t, webhook_event_emit_in_txn(t->db, &event, &t->err));
}

static struct webhook_head_list heads(struct tracker_db *t)
{
	struct webhook_head_list list = {0};
	CHECK(t, webhook_deliveries_heads(t->db, &t->arena, &list, &t->err));
	return list;
}

/* The only head gets an attempt that ended so. */
static void record(struct tracker_db *t, int64_t attempt, const char *state, int64_t next_ms)
{
	struct webhook_head_list list = heads(t);
	const struct webhook_attempt made = {.attempt = attempt,
					     .time_ms = next_ms,
					     .response_status = 500,
					     .response_body = SLICE("a\0b\xff\xc3\xa9"),
					     .error_message = SLICE("")};
	const struct webhook_verdict verdict = {slice_from_cstr(state), next_ms};
	assert_int_equal(list.count, 1);
	CHECK(t, webhook_attempt_record_in_txn(t->db, list.items[0].delivery_pk, &made, &verdict,
					       &t->arena, &t->err));
}

static struct webhook_delivery_list log_of(struct tracker_db *t, const struct webhook *webhook)
{
	struct webhook_delivery_list list = {0};
	struct slice next;
	CHECK(t, webhook_deliveries_list(t->db, webhook->webhook_pk, SEARCH_WEBHOOKS_MAX,
					 (struct slice){0}, &t->arena, &list, &next, &t->err));
	return list;
}

#define COUNT_EVENTS(t) tracker_db_number((t), SQL("SELECT count(*) FROM outbox_events"))

static void an_event_nobody_asked_for_is_not_written(void **state)
{
	struct tracker_db *t = *state;
	bool wanted = true;
	(void)make_webhook(t, "off", false);
	CHECK(t, webhook_event_is_wanted(t->db, SLICE("registered_model"), SLICE("created"),
					 &wanted, &t->err));
	assert_false(wanted);
	emit(t, 1);
	assert_int_equal(COUNT_EVENTS(t), 0);
	(void)make_webhook(t, "on", true);
	emit(t, 2);
	assert_int_equal(COUNT_EVENTS(t), 1);
	assert_int_equal(heads(t).count, 1);
}

static void each_webhook_has_its_own_delivery_of_one_event(void **state)
{
	struct tracker_db *t = *state;
	struct webhook a = make_webhook(t, "a", true), b = make_webhook(t, "b", true);
	emit(t, 1);
	assert_int_equal(COUNT_EVENTS(t), 1);
	assert_int_equal(heads(t).count, 2);
	struct slice id = log_of(t, &a).items[0].delivery_id;
	assert_int_equal(id.len, 36);
	assert_false(slice_eq(id, log_of(t, &b).items[0].delivery_id));
	CHECK(t, webhook_delete_in_txn(t->db, a.webhook_pk, &t->err));
	assert_int_equal(COUNT_EVENTS(t), 1); /* b's delivery needs it */
	assert_int_equal(heads(t).count, 1);
	CHECK(t, webhook_delete_in_txn(t->db, b.webhook_pk, &t->err));
	assert_int_equal(COUNT_EVENTS(t), 0);
}

static void the_head_stays_until_it_ended(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	emit(t, 1);
	emit(t, 2);
	int64_t first = heads(t).items[0].delivery_pk;
	record(t, 1, "PENDING", 5000);
	assert_int_equal(heads(t).items[0].delivery_pk, first);
	assert_int_equal(heads(t).items[0].next_attempt_ms, 5000);
	record(t, 2, "DELIVERED", 6000);
	assert_int_not_equal(heads(t).items[0].delivery_pk, first);
	record(t, 1, "FAILED", 7000);
	assert_int_equal(heads(t).count, 0);
	struct webhook_delivery_list log = log_of(t, &webhook);
	assert_int_equal(log.count, 2);
	assert_true(slice_eq_cstr(log.items[0].state, "FAILED"));
	assert_int_equal(log.items[1].attempts.count, 2);
	assert_true(slice_eq_cstr(log.items[1].attempts.items[0].response_body, "a?b?\xc3\xa9"));
}

static void a_message_is_loaded_only_while_it_is_due(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	struct webhook_message message;
	bool found = false;
	emit(t, 1000);
	int64_t pk = heads(t).items[0].delivery_pk;
	CHECK(t, webhook_message_load(t->db, pk, 999, &t->arena, &message, &found, &t->err));
	assert_false(found);
	CHECK(t, webhook_message_load(t->db, pk, 1000, &t->arena, &message, &found, &t->err));
	assert_true(found);
	assert_true(slice_eq_cstr(message.data, "{\"n\": 1}"));
	assert_true(slice_eq_cstr(message.secret, "secret"));
	webhook.is_active = false;
	CHECK(t, webhook_save_in_txn(t->db, &webhook, &t->err));
	CHECK(t, webhook_message_load(t->db, pk, 1000, &t->arena, &message, &found, &t->err));
	assert_false(found);
	assert_int_equal(heads(t).count, 0);
	webhook.is_active = true;
	CHECK(t, webhook_save_in_txn(t->db, &webhook, &t->err));
	record(t, 1, "DELIVERED", 2000);
	CHECK(t, webhook_message_load(t->db, pk, 9000, &t->arena, &message, &found, &t->err));
	assert_false(found);
}

static void an_attempt_at_what_was_deleted_is_passed_over(void **state)
{
	struct tracker_db *t = *state;
	const struct webhook_attempt attempt = {.attempt = 1};
	const struct webhook_verdict verdict = {SLICE("DELIVERED"), 1};
	CHECK(t, webhook_attempt_record_in_txn(t->db, 77, &attempt, &verdict, &t->arena, &t->err));
	assert_int_equal(tracker_db_number(t, SQL("SELECT count(*) FROM webhook_attempts")), 0);
}

static void what_is_replayed_comes_last_and_is_young_again(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	struct webhook_delivery delivery;
	struct webhook_message message;
	bool found = false;
	emit(t, 1);
	struct slice id = log_of(t, &webhook).items[0].delivery_id;
	int64_t pk = heads(t).items[0].delivery_pk;
	record(t, 1, "FAILED", 2);
	emit(t, 3);
	CHECK(t,
	      webhook_delivery_load(t->db, webhook.webhook_pk, id, &t->arena, &delivery, &t->err));
	CHECK(t, webhook_delivery_replay_in_txn(t->db, webhook.webhook_pk, &delivery, 50, &t->err));
	assert_int_not_equal(heads(t).items[0].delivery_pk, pk);
	record(t, 1, "DELIVERED", 60);
	assert_int_equal(heads(t).items[0].delivery_pk, pk);
	CHECK(t, webhook_message_load(t->db, pk, 50, &t->arena, &message, &found, &t->err));
	assert_true(found);
	assert_true(slice_eq(message.delivery_id, id));
	assert_int_equal(message.queued_ms, 50);
	assert_int_equal(message.attempt_count, 1);
	record(t, 2, "DELIVERED", 70);
	assert_int_equal(log_of(t, &webhook).items[0].attempts.count, 2);
}

static void the_log_keeps_so_many(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	for (int i = 0; i <= WEBHOOK_ENDED_MAX; i++) {
		emit(t, i + 1);
		record(t, 1, "DELIVERED", i + 1);
	}
	struct webhook_delivery_list log = log_of(t, &webhook);
	assert_int_equal(log.count, WEBHOOK_ENDED_MAX);
	assert_int_equal(log.items[log.count - 1].event_time_ms, 2);
	assert_int_equal(COUNT_EVENTS(t), WEBHOOK_ENDED_MAX);
}

static void the_log_keeps_so_long(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	int64_t limit_ms = WEBHOOK_LOG_DAYS * DAY_MS;
	emit(t, 1000);
	record(t, 1, "DELIVERED", 1000);
	emit(t, 1000 + limit_ms);
	record(t, 1, "DELIVERED", 1000 + limit_ms);
	assert_int_equal(log_of(t, &webhook).count, 2);
	emit(t, 1001 + limit_ms);
	record(t, 1, "DELIVERED", 1001 + limit_ms);
	assert_int_equal(log_of(t, &webhook).count, 2);
}

static void the_log_comes_in_pages(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	struct webhook_delivery_list page;
	struct slice next = {0};
	for (int i = 1; i <= 4; i++)
		emit(t, i);
	for (int first = 4; first > 0; first -= 2) {
		CHECK(t, webhook_deliveries_list(t->db, webhook.webhook_pk, 2, next, &t->arena,
						 &page, &next, &t->err));
		assert_int_equal(page.count, 2);
		assert_int_equal(page.items[0].event_time_ms, first);
		assert_int_equal(page.items[1].event_time_ms, first - 1);
		assert_int_equal(slice_is_present(next), first == 4);
	}
	tracker_db_check_error(t,
			       webhook_deliveries_list(t->db, webhook.webhook_pk, 2, SLICE("0"),
						       &t->arena, &page, &next, &t->err),
			       ERR_INVALID_PARAMETER_VALUE, "Invalid page token: '0'");
}

static void beyond_the_limit_deliveries_fail_at_once(void **state)
{
	struct tracker_db *t = *state;
	struct webhook webhook = make_webhook(t, "a", true);
	CHECK(t, db_exec(t->db, SQL("UPDATE webhooks SET pending_count = 9999"), &t->err));
	assert_int_equal(WEBHOOK_PENDING_MAX, 10000);
	emit(t, 1);
	emit(t, 2);
	struct webhook_delivery_list log = log_of(t, &webhook);
	assert_true(slice_eq_cstr(log.items[1].state, "PENDING"));
	assert_true(slice_eq_cstr(log.items[0].state, "FAILED"));
}

static void there_are_so_many_webhooks(void **state)
{
	struct tracker_db *t = *state;
	char id[16];
	struct webhook last = {0};
	for (int i = 0; i < WEBHOOKS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%d", i);
		last = make_webhook(t, id, true);
	}
	last.webhook_id = SLICE("more");
	tracker_db_check_error(t, webhook_insert_in_txn(t->db, &last, &t->err),
			       ERR_REQUEST_LIMIT_EXCEEDED,
			       "There are 1000 webhooks already; delete one first.");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_nobody_asked_for_is_not_written),
		TEST(each_webhook_has_its_own_delivery_of_one_event),
		TEST(the_head_stays_until_it_ended),
		TEST(a_message_is_loaded_only_while_it_is_due),
		TEST(an_attempt_at_what_was_deleted_is_passed_over),
		TEST(what_is_replayed_comes_last_and_is_young_again),
		TEST(the_log_keeps_so_many),
		TEST(the_log_keeps_so_long),
		TEST(the_log_comes_in_pages),
		TEST(beyond_the_limit_deliveries_fail_at_once),
		TEST(there_are_so_many_webhooks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
