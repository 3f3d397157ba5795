/* Which folders go with what is removed for good. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/gc_verdict.h"

#define RUN   "0123456789abcdef0123456789abcdef"
#define MODEL "m-0123456789abcdef0123456789abcdef"

static void runs_and_models_take_only_a_folder_that_bears_their_id(void **state)
{
	(void)state;
	static const struct {
		enum garbage_kind kind;
		const char *id, *uri, *path; /* "": none goes */
	} rows[] = {
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/" RUN "/artifacts", "7/" RUN "/artifacts"},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/" RUN "/artifacts", RUN "/artifacts"},
		{GARBAGE_LOGGED_MODEL, MODEL, "mlflow-artifacts:/7/models/" MODEL "/artifacts",
		 "7/models/" MODEL "/artifacts"},
		/* Names that only end or begin as it does. */
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/x" RUN "/artifacts", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/m-" RUN "/artifacts", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/x" RUN "/artifacts", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/" RUN "x/artifacts", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/" RUN "/artifacts2", ""},
		/* What others may share, too. */
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/" RUN, ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/" RUN "/artifacts/model", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/7/artifacts", ""},
		{GARBAGE_RUN, RUN, "mlflow-artifacts:/", ""},
		/* What is not kept here. */
		{GARBAGE_RUN, RUN, "s3://bucket/7/" RUN "/artifacts", ""},
		{GARBAGE_RUN, RUN, "", ""},
	};
	struct arena arena;
	arena_init(&arena, 65536);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct garbage garbage = {.kind = rows[i].kind,
						.id = slice_from_cstr(rows[i].id),
						.uri = slice_from_cstr(rows[i].uri)};
		struct slice path = {0};
		struct error err;
		/* Only experiments are looked up. */
		assert_true(gc_folder(NULL, &garbage, &arena, &path, &err));
		if (!slice_eq_cstr(path, rows[i].path))
			fail_msg("%s: '%.*s'", rows[i].uri, SLICE_FMT(path));
	}
	arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_and_models_take_only_a_folder_that_bears_their_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
