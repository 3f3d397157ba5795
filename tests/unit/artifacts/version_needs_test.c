/* Tests which versions need a run, an experiment, a logged model or a path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "artifacts/version_needs.h"
#include "store_helper.h"

static void script(struct store *store)
{
	static const char text[] =
		"INSERT INTO experiments VALUES (1, 'one', 'mlflow-artifacts:/1', 0, 0, 0),"
		" (2, 'two', 's3://bucket/2', 0, 0, 0), (3, 'three', 'mlflow-artifacts:/3', 0, 0, "
		"0);"
		"INSERT INTO runs (run_id, experiment_id, name, status, start_time_ms, "
		"artifact_uri) VALUES"
		" ('r1', 1, '', 'RUNNING', 0, 'mlflow-artifacts:/1/r1/artifacts'),"
		" ('r10', 1, '', 'RUNNING', 0, 'mlflow-artifacts:/1/r10/artifacts'),"
		" ('r2', 2, '', 'RUNNING', 0, 's3://bucket/2/r2/artifacts');"
		"INSERT INTO logged_models (model_id, experiment_id, name, status, artifact_uri, "
		"creation_time_ms,"
		" last_updated_time_ms) VALUES"
		" ('m-1', 3, '', 'READY', 'mlflow-artifacts:/3/models/m-1/artifacts', 0, 0);"
		"INSERT INTO registered_models (model_pk, name, creation_time_ms, "
		"last_updated_time_ms) VALUES"
		" (1, 'a', 0, 0), (2, 'b', 0, 0);"
		"INSERT INTO model_versions (model_pk, version, source, storage_location, run_id, "
		"model_id,"
		" creation_time_ms, last_updated_time_ms) VALUES"
		" (1, 1, '', 'mlflow-artifacts:/1/r1/artifacts/model', 'r1', '', 0, 0),"
		" (1, 2, '', 'mlflow-artifacts://host:5000/1/r1/artifacts/x/', '', '', 0, 0),"
		" (1, 3, '', 's3://bucket/2/r2/artifacts/model', 'r2', '', 0, 0),"
		" (2, 1, '', 'mlflow-artifacts:/3/models/m-1/artifacts', 'r2', 'm-1', 0, 0),"
		" (2, 2, '', 'mlflow-artifacts:///1/r10/artifacts', '', '', 0, 0),"
		" (2, 3, '', '/home/ada/model', '', '', 0, 0);"
		"INSERT INTO model_aliases VALUES (2, 'champion', 2);";
	struct error err;
	assert_true(db_exec_script(store->tracker, slice_from_cstr(text), &err));
}

/* "a1 b2": names and numbers. */
static void check_list(const struct needing_version_list *list, const char *expected)
{
	char text[256] = "";
	size_t len = 0;
	for (size_t i = 0; i < list->count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s%lld",
					i == 0 ? "" : " ", SLICE_FMT(list->items[i].model),
					(long long)list->items[i].version);
	assert_string_equal(text, expected);
}

static void check(struct store *store, struct needed needed, const char *expected)
{
	struct needing_version_list list;
	struct error err;
	assert_true(version_needs_find(store->tracker, &needed, &store->arena, &list, &err));
	check_list(&list, expected);
}

static void test_what_versions_need_is_told(void **state)
{
	static const struct {
		enum needed_kind kind;
		const char *id_or_path;
		int64_t experiment_id;
		const char *expected;
	} rows[] = {
		/* By their run, and by files in its folder: those with an alias first. */
		{NEEDED_RUN, "r1", 0, "a1 a2"},
		{NEEDED_RUN, "r10", 0, "b2"},
		{NEEDED_RUN, "r2", 0, "a3 b1"},
		{NEEDED_RUN, "none", 0, ""},
		{NEEDED_RUN, "", 0, ""},
		{NEEDED_LOGGED_MODEL, "m-1", 0, "b1"},
		{NEEDED_LOGGED_MODEL, "m-2", 0, ""},
		{NEEDED_EXPERIMENT, "", 1, "b2 a1 a2"},
		{NEEDED_EXPERIMENT, "", 2, "a3 b1"},
		{NEEDED_EXPERIMENT, "", 3, "b1"},
		{NEEDED_EXPERIMENT, "", 4, ""},
		/* Paths: at, above, below, beside. */
		{NEEDED_PATH, "1/r1/artifacts/model", 0, "a1"},
		{NEEDED_PATH, "1/r1/artifacts", 0, "a1 a2"},
		{NEEDED_PATH, "1/r1", 0, "a1 a2"},
		{NEEDED_PATH, "1", 0, "b2 a1 a2"},
		{NEEDED_PATH, "1/r1/artifacts/model/data/w.bin", 0, "a1"},
		{NEEDED_PATH, "1/r1/artifacts/x/y", 0, "a2"},
		{NEEDED_PATH, "1/r1/artifacts/model0", 0, ""},
		{NEEDED_PATH, "1/r1/artifacts/mode", 0, ""},
		{NEEDED_PATH, "1/r1/artifacts/model-", 0, ""},
		{NEEDED_PATH, "1/r10/artifacts/any", 0, "b2"},
		{NEEDED_PATH, "3/models/m-1", 0, "b1"},
		{NEEDED_PATH, "home/ada/model", 0, ""},
	};
	struct store store;
	(void)state;
	store_open(&store);
	script(&store);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		check(&store,
		      (struct needed){.kind = rows[i].kind,
				      .id_or_path = slice_from_cstr(rows[i].id_or_path),
				      .experiment_id = rows[i].experiment_id},
		      rows[i].expected);
	store_close(&store);
}

static void test_deleted_versions_need_the_same_for_a_while(void **state)
{
	static const struct {
		enum needed_kind kind;
		const char *id_or_path;
		int64_t experiment_id, deleted_after_ms;
		const char *expected;
	} rows[] = {
		{NEEDED_RUN, "r1", 0, 0, "a1 a2"},
		{NEEDED_RUN, "r1", 0, 9, "a1 a2"},
		{NEEDED_RUN, "r1", 0, 10, "a1"},
		{NEEDED_RUN, "r1", 0, 11, ""},
		{NEEDED_RUN, "", 0, 0, ""},
		{NEEDED_LOGGED_MODEL, "m-1", 0, 0, "b1"},
		{NEEDED_EXPERIMENT, "", 1, 0, "a1 a2"},
		{NEEDED_EXPERIMENT, "", 3, 0, "b1"},
		{NEEDED_PATH, "1/r1", 0, 0, "a1 a2"},
		{NEEDED_PATH, "1/r1/artifacts/model/w", 0, 0, "a1"},
		{NEEDED_PATH, "1/r10", 0, 0, ""},
	};
	static const char text[] = "INSERT INTO deleted_versions VALUES"
				   " (1, 1, 'a', 11, 'r1', '', '1/r1/artifacts/model'),"
				   " (1, 2, 'a', 10, '', '', '1/r1/artifacts/x'),"
				   " (7, 1, 'b', 10, '', 'm-1', NULL);"
				   "DELETE FROM model_versions;";
	struct store store;
	struct error err;
	(void)state;
	store_open(&store);
	script(&store);
	assert_true(db_exec_script(store.tracker, slice_from_cstr(text), &err));
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct needing_version_list list;
		const struct needed needed = {.kind = rows[i].kind,
					      .id_or_path = slice_from_cstr(rows[i].id_or_path),
					      .experiment_id = rows[i].experiment_id};
		assert_true(version_needs_find_deleted(store.tracker, &needed,
						       rows[i].deleted_after_ms, &store.arena,
						       &list, &err));
		check_list(&list, rows[i].expected);
	}
	store_close(&store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_versions_need_is_told),
		cmocka_unit_test(test_deleted_versions_need_the_same_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
