/* What is recorded of the registry: numbers, times, identities and the chain. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "store/registry_history.h"

#include "json/json_reader.h"
#include "limits.h"
#include "store/models.h"
#include "unit/store/registry_world_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static void every_kind_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int i = 0; i < REGISTRY_KINDS_END; i++) {
		enum registry_kind kind = REGISTRY_KINDS_END;
		const char *name = registry_kind_name((enum registry_kind)i);
		assert_true(registry_kind_from_name(slice_from_cstr(name), &kind));
		assert_int_equal(kind, i);
	}
	enum registry_kind kind;
	assert_false(registry_kind_from_name(SLICE("alias"), &kind));
}

static void numbers_go_on_and_times_never_back(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 1000);
	struct model_pk b = world_add_model(t, "b", 900); /* the clock went back */
	assert_int_equal(world_add_version(t, a, "a", 2000), 3);
	assert_int_equal(world_add_version(t, b, "b", 1500), 4);
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT group_concat(event_seq || '@' || time_ms || '/' ||"
				       " model_seq, ' ') FROM registry_events")),
		"1@1000/1 2@1000/2 3@2000/1 4@2000/2");
	struct registry_head head;
	CHECK(t, registry_head_load(t->db, &head, &t->err));
	assert_int_equal(head.event_seq, 4);
	assert_int_equal(head.time_ms, 2000);
	assert_int_equal(tracker_db_number(t, SQL("SELECT (SELECT sha256 FROM registry_head) ="
						  " (SELECT sha256 FROM registry_events WHERE"
						  " event_seq = 4)")),
			 1);
}

static void what_is_rolled_back_was_never(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 1);
	tracker_db_commit(t);
	(void)world_add_version(t, a, "a", 2);
	tracker_db_rollback(t);
	assert_int_equal(world_add_version(t, a, "a", 3), 2);
}

static void a_model_made_anew_is_another_one(void **state)
{
	struct tracker_db *t = *state;
	(void)world_add_model(t, "a", 1);
	CHECK(t, model_delete_in_txn(t->db, SLICE("a"), 1, &t->err));
	(void)world_add_model(t, "a", 2);
	assert_int_equal(tracker_db_number(t, SQL("SELECT model_seq FROM registered_models")), 2);
}

static void an_alias_has_the_revision_of_its_last_move(void **state)
{
	struct tracker_db *t = *state;
	struct registry_alias_event last;
	struct model_pk a = world_add_model(t, "a", 1);
	(void)world_add_version(t, a, "a", 2);
	CHECK(t, registry_alias_event_load(t->db, a, SLICE("x"), &t->arena, &last, &t->err));
	assert_int_equal(last.event_seq, 0);
	assert_int_equal(world_move_alias(t, a, "a", "x", 1, 3), 3);
	(void)world_move_alias(t, a, "a", "y", 1, 4);
	CHECK(t, registry_alias_event_load(t->db, a, SLICE("x"), &t->arena, &last, &t->err));
	assert_int_equal(last.event_seq, 3);
	assert_int_equal(last.version, 1);
	assert_true(slice_eq_cstr(last.actor, "ana") && slice_eq_cstr(last.kind, "alias.set"));
	(void)world_move_alias(t, a, "a", "x", 0, 5);
	CHECK(t, registry_alias_event_load(t->db, a, SLICE("x"), &t->arena, &last, &t->err));
	assert_int_equal(last.event_seq, 5);
	assert_int_equal(last.version, 0);
}

static void a_large_state_is_kept_once(void **state)
{
	static const size_t sizes[] = {REGISTRY_BEFORE_BYTES_MAX, REGISTRY_BEFORE_BYTES_MAX + 1};
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 1);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		char *text = ARENA_NEW(&t->arena, char, sizes[i]);
		memset(text, ' ', sizes[i]);
		memcpy(text, "{}", 2);
		struct slice json = slice_make(text, sizes[i]);
		int64_t seq = 0;
		const struct registry_change change = {.kind = REGISTRY_MODEL_RULES_SET,
						       .model_pk = a,
						       .model = SLICE("a"),
						       .before = json,
						       .after = json};
		CHECK(t, registry_record_in_txn(t->db, &change, &seq, &t->err));
	}
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT group_concat(length(before_json) || '/' ||"
				       " length(after_json), ' ') FROM registry_events"
				       " WHERE part = 6")),
		"16384/16384 91/16385");
}

static void a_lost_end_is_told(void **state)
{
	struct tracker_db *t = *state;
	struct registry_head head;
	CHECK(t, db_exec(t->db, SQL("DELETE FROM registry_head"), &t->err));
	bool ok = registry_head_load(t->db, &head, &t->err);
	tracker_db_check_error(t, ok, ERR_DATA_LOSS,
			       "The registry's history has lost its end; restore a backup.");
}

static void what_stood_before_is_adopted_once(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk a = world_add_model(t, "a", 1), b = world_add_model(t, "b", 1);
	(void)world_add_version(t, a, "a", 1);
	(void)world_add_version(t, a, "a", 1);
	(void)world_move_alias(t, a, "a", "x", 2, 1);
	(void)world_add_version(t, b, "b", 1);
	CHECK(t, db_exec(t->db, SQL("DELETE FROM registry_events"), &t->err));
	CHECK(t, db_exec(t->db,
			 SQL("UPDATE registry_head SET event_seq = 0, time_ms = 0, sha256 ="
			     " zeroblob(32)"),
			 &t->err));
	CHECK(t, db_exec(t->db, SQL("UPDATE registered_models SET model_seq = 0"), &t->err));
	CHECK(t, db_exec(t->db, SQL("COMMIT"), &t->err));
	for (int i = 0; i < 2; i++)
		CHECK(t, registry_adopt(t->db, 77, &t->err));
	CHECK(t, db_exec(t->db, SQL("BEGIN IMMEDIATE"), &t->err));
	assert_string_equal(
		tracker_db_text(t, SQL("SELECT group_concat(model_seq || model || kind || version"
				       " || key, ' ') FROM registry_events")),
		"1amodel.adopted0 1aversion.adopted1 1aversion.adopted2 1aalias.adopted0x "
		"5bmodel.adopted0 5bversion.adopted1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_has_a_name_of_its_own),
		TEST(numbers_go_on_and_times_never_back),
		TEST(what_is_rolled_back_was_never),
		TEST(a_model_made_anew_is_another_one),
		TEST(an_alias_has_the_revision_of_its_last_move),
		TEST(a_large_state_is_kept_once),
		TEST(a_lost_end_is_told),
		TEST(what_stood_before_is_adopted_once),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
