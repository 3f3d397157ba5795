/* The rules of models: what is put is loaded, and what a protected alias names is found. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/model_rules.h"

#include "store/model_versions.h"
#include "store/models.h"
#include "unit/store/tracker_db_helper.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, tracker_db_setup, tracker_db_teardown)

static struct model_pk add_model(struct tracker_db *t, const char *name)
{
	struct model_pk pk;
	CHECK(t, model_insert_in_txn(t->db, slice_from_cstr(name), SLICE(""),
				     (struct key_value_list){0}, 1, &t->err));
	CHECK(t, model_find(t->db, slice_from_cstr(name), &pk, &t->err));
	return pk;
}

static void put(struct tracker_db *t, struct model_pk pk, struct slice *requirements,
		size_t requirement_count, struct slice *aliases, size_t alias_count)
{
	const struct model_rules rules = {requirements, requirement_count, aliases, alias_count};
	CHECK(t, model_rules_put_in_txn(t->db, pk, &rules, &t->err));
}

static const char *json(struct tracker_db *t, struct model_pk pk)
{
	struct model_rules rules;
	CHECK(t, model_rules_load(t->db, pk, &t->arena, &rules, &t->err));
	return arena_cstr(&t->arena, model_rules_json(&rules, &t->arena));
}

static void rules_are_kept_in_their_order(void **state)
{
	struct tracker_db *t = *state;
	struct slice requirements[] = {SLICE("size < 5"), SLICE("digest"), SLICE("\"a b\" < 1")};
	struct slice aliases[] = {SLICE("champion"), SLICE("prod")};
	struct model_pk pk = add_model(t, "R"), other = add_model(t, "S");
	assert_string_equal(json(t, pk), "{\"requirements\":[],\"protected_aliases\":[]}");
	put(t, pk, requirements, 3, aliases, 2);
	assert_string_equal(json(t, pk),
			    "{\"requirements\":[\"size < 5\",\"digest\",\"\\\"a b\\\" < 1\"],"
			    "\"protected_aliases\":[\"champion\",\"prod\"]}");
	assert_string_equal(json(t, other), "{\"requirements\":[],\"protected_aliases\":[]}");
	put(t, pk, requirements + 1, 1, NULL, 0);
	assert_string_equal(json(t, pk),
			    "{\"requirements\":[\"digest\"],\"protected_aliases\":[]}");
}

static void rules_go_with_their_model(void **state)
{
	struct tracker_db *t = *state;
	struct slice requirement = SLICE("digest"), alias = SLICE("champion");
	put(t, add_model(t, "R"), &requirement, 1, &alias, 1);
	CHECK(t, model_delete_in_txn(t->db, SLICE("R"), 1, &t->err));
	assert_string_equal(json(t, add_model(t, "R")),
			    "{\"requirements\":[],\"protected_aliases\":[]}");
}

static void what_a_protected_alias_names_is_found(void **state)
{
	struct tracker_db *t = *state;
	struct slice alias = SLICE("champion");
	struct model_pk pk = add_model(t, "R");
	struct model_alias held;
	bool is_protected = true;
	int64_t version = 0;
	for (int i = 0; i < 2; i++) {
		const struct model_version_new new = {.name = SLICE("R"), .source = SLICE("s")};
		CHECK(t, model_version_insert_in_txn(t->db, &new, &version, &t->err));
	}
	CHECK(t, model_alias_set_in_txn(t->db, pk, alias, 2, &t->err));
	CHECK(t, model_alias_set_in_txn(t->db, pk, SLICE("free"), 1, &t->err));
	CHECK(t, model_protected_alias_of(t->db, pk, 0, &t->arena, &held, &t->err));
	assert_false(slice_is_present(held.alias));
	put(t, pk, NULL, 0, &alias, 1);
	CHECK(t, model_protected_alias_of(t->db, pk, 1, &t->arena, &held, &t->err));
	assert_false(slice_is_present(held.alias));
	CHECK(t, model_protected_alias_of(t->db, pk, 2, &t->arena, &held, &t->err));
	assert_true(slice_eq(held.alias, alias));
	CHECK(t, model_protected_alias_of(t->db, pk, 0, &t->arena, &held, &t->err));
	assert_int_equal(held.version, 2);
	CHECK(t, model_alias_is_protected(t->db, pk, SLICE("free"), &is_protected, &t->err));
	assert_false(is_protected);
	CHECK(t, model_alias_is_protected(t->db, pk, alias, &is_protected, &t->err));
	assert_true(is_protected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(rules_are_kept_in_their_order),
		TEST(rules_go_with_their_model),
		TEST(what_a_protected_alias_names_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
