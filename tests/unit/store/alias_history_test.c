/* Where rollbacks go back to, by events that are recorded by hand. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/alias_history.h"

#include "json/json_reader.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/registry_history.h"
#include "store/registry_json.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)
#define ALIAS	   SLICE("champion")

enum { VERSIONS = 4 };

/* A model with versions 1 to VERSIONS and its first event. */
static struct model_pk add_model(struct tracker_db *t)
{
	struct registered_model model;
	struct model_pk pk;
	int64_t version, seq;
	CHECK(t, model_insert_in_txn(t->db, SLICE("R"), SLICE(""), (struct key_value_list){0}, 1,
				     &t->err));
	CHECK(t, model_find(t->db, SLICE("R"), &pk, &t->err));
	for (int i = 0; i < VERSIONS; i++) {
		const struct model_version_new new = {.name = SLICE("R"), .source = SLICE("s")};
		CHECK(t, model_version_insert_in_txn(t->db, &new, &version, &t->err));
	}
	CHECK(t, model_load(t->db, pk, &t->arena, &model, &t->err));
	const struct registry_change change = {.kind = REGISTRY_MODEL_CREATED,
					       .model_pk = pk,
					       .model = SLICE("R"),
					       .after = registry_json_model(&t->arena, &model)};
	CHECK(t, registry_record_in_txn(t->db, &change, &seq, &t->err));
	return pk;
}

/* The alias goes to `version`, or, with 0, away, at a time that is its event's number. */
static int64_t record(struct tracker_db *t, struct model_pk pk, enum registry_kind kind,
		      int64_t version, struct slice detail)
{
	struct registry_head head;
	int64_t seq = 0;
	CHECK(t, registry_head_load(t->db, &head, &t->err));
	const struct registry_change change = {.kind = kind,
					       .model_pk = pk,
					       .model = SLICE("R"),
					       .key = ALIAS,
					       .alias_version = version,
					       .after = registry_json_alias(&t->arena, version),
					       .detail = detail,
					       .now_ms = head.event_seq + 1};
	CHECK(t, registry_record_in_txn(t->db, &change, &seq, &t->err));
	return seq;
}

static int64_t move(struct tracker_db *t, struct model_pk pk, int64_t version)
{
	return record(t, pk, version != 0 ? REGISTRY_ALIAS_SET : REGISTRY_ALIAS_DELETED, version,
		      (struct slice){0});
}

/* The version that it went back to; 0 when there was none. */
static int64_t roll_back(struct tracker_db *t, struct model_pk pk, struct alias_stay *stay)
{
	bool found = false;
	CHECK(t, alias_stay_before(t->db, pk, ALIAS, &t->arena, stay, &found, &t->err));
	if (!found)
		return 0;
	(void)record(t, pk, REGISTRY_ALIAS_ROLLED_BACK, stay->version,
		     alias_stay_detail(stay, &t->arena));
	return stay->version;
}

static void an_alias_without_a_past_has_nothing_before(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	assert_int_equal(roll_back(t, pk, &stay), 0);
	(void)move(t, pk, 1);
	assert_int_equal(roll_back(t, pk, &stay), 0);
}

static void rolling_back_again_goes_further_back(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	int64_t first = move(t, pk, 1), second = move(t, pk, 2), third = move(t, pk, 3);
	assert_int_equal(roll_back(t, pk, &stay), 2);
	assert_int_equal(stay.event_seq, second);
	assert_int_equal(stay.since_ms, second);
	assert_int_equal(stay.until_ms, third);
	(void)move(t, pk, 4);
	assert_int_equal(roll_back(t, pk, &stay), 2);
	assert_int_equal(stay.event_seq, second); /* not the rollback that came between */
	assert_int_equal(roll_back(t, pk, &stay), 1);
	assert_int_equal(stay.event_seq, first);
	assert_int_equal(roll_back(t, pk, &stay), 0);
}

static void what_was_twice_is_left_twice(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	static const int64_t moves[] = {1, 2, 1, 3};
	static const int64_t back[] = {1, 2, 1, 0};
	for (size_t i = 0; i < ARRAY_COUNT(moves); i++)
		(void)move(t, pk, moves[i]);
	for (size_t i = 0; i < ARRAY_COUNT(back); i++)
		assert_int_equal(roll_back(t, pk, &stay), back[i]);
}

/* Whatever the alias did later, and whenever else the version held it. */
static void a_stay_ends_with_the_next_event(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	bool found = false;
	int64_t first = move(t, pk, 1), second = move(t, pk, 2);
	assert_int_equal(roll_back(t, pk, &stay), 1);
	int64_t again = second + 1, third = move(t, pk, 3);
	(void)move(t, pk, 4);
	CHECK(t, alias_stay_of_version(t->db, pk, ALIAS, 1, &t->arena, &stay, &found, &t->err));
	assert_true(found);
	assert_int_equal(stay.event_seq, first); /* what came back with the rollback goes on */
	assert_int_equal(stay.since_ms, again);
	assert_int_equal(stay.until_ms, third);
	CHECK(t, alias_stay_of_version(t->db, pk, ALIAS, 2, &t->arena, &stay, &found, &t->err));
	assert_true(found);
	assert_int_equal(stay.event_seq, second);
	assert_int_equal(stay.until_ms, again);
}

static void the_present_version_is_nothing_to_go_back_to(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	static const int64_t moves[] = {1, 2, 0, 2}; /* deleted, and set again */
	for (size_t i = 0; i < ARRAY_COUNT(moves); i++)
		(void)move(t, pk, moves[i]);
	assert_int_equal(roll_back(t, pk, &stay), 1);
}

static void times_without_the_alias_and_lost_versions_are_passed_over(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	(void)move(t, pk, 1);
	(void)move(t, pk, 2);
	(void)move(t, pk, 0);
	assert_int_equal(roll_back(t, pk, &stay), 2);
	(void)move(t, pk, 3);
	CHECK(t, model_version_delete_in_txn(t->db, pk, 2, 1, &t->err));
	assert_int_equal(roll_back(t, pk, &stay), 1);
}

static void a_version_is_found_where_it_was_last(void **state)
{
	struct tracker_db *t = *state;
	struct model_pk pk = add_model(t);
	struct alias_stay stay;
	bool found = false;
	(void)move(t, pk, 1);
	(void)move(t, pk, 2);
	int64_t last = move(t, pk, 1), next = move(t, pk, 3);
	CHECK(t, alias_stay_of_version(t->db, pk, ALIAS, 1, &t->arena, &stay, &found, &t->err));
	assert_true(found);
	assert_int_equal(stay.event_seq, last);
	assert_int_equal(stay.until_ms, next);
	CHECK(t, alias_stay_of_version(t->db, pk, ALIAS, 3, &t->arena, &stay, &found, &t->err));
	assert_false(found); /* it is there, and was not before */
	CHECK(t, alias_stay_of_version(t->db, pk, ALIAS, 4, &t->arena, &stay, &found, &t->err));
	assert_false(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_alias_without_a_past_has_nothing_before),
		TEST(rolling_back_again_goes_further_back),
		TEST(what_was_twice_is_left_twice),
		TEST(a_stay_ends_with_the_next_event),
		TEST(the_present_version_is_nothing_to_go_back_to),
		TEST(times_without_the_alias_and_lost_versions_are_passed_over),
		TEST(a_version_is_found_where_it_was_last),
	};
	json_reader_setup();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
