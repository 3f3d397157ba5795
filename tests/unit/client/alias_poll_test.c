/* Tests the following of an alias against a server that answers what a table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "src/alias_poll.h"
#include "src/retry.h"

enum { ARENA_BYTES = 1024 * 1024 };

/* One answer: JSON, or NULL for 304 or, with a code, a failure. */
struct row {
	const char *path; /* that is asked for */
	const char *json;
	enum error_code code;
	enum alias_answer answer; /* what that comes to */
	bool has_waited;
	const char *version; /* that is known then */
};

struct server {
	const struct row *row;
	bool was_asked;
};

static bool get(void *context, const char *path, struct arena *arena, struct json_value **reply,
		struct error *err)
{
	struct server *server = context;
	assert_string_equal(path, server->row->path);
	server->was_asked = true;
	if (server->row->code != ERR_NONE)
		return error_set(err, server->row->code, "so it is");
	*reply = NULL;
	return server->row->json == NULL ||
	       json_tree_parse(slice_from_cstr(server->row->json), arena, reply, err);
}

static void play(const struct row *rows, size_t count)
{
	struct server server = {0};
	const struct fetcher fetcher = {.get = get, .context = &server};
	struct alias_poll poll;
	struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	alias_poll_init(&poll, &fetcher, "a b/c", "x@y");
	for (size_t i = 0; i < count; i++) {
		struct alias_reply reply;
		struct error err;
		server = (struct server){.row = &rows[i]};
		assert_true(alias_poll_ask(&poll, 700, &arena, &reply, &err));
		assert_true(server.was_asked);
		assert_int_equal(reply.answer, rows[i].answer);
		assert_int_equal(reply.has_waited, rows[i].has_waited);
		assert_string_equal(poll.version, rows[i].version);
		if (rows[i].answer == ALIAS_MISSING)
			assert_string_equal(poll.missing, "so it is");
	}
	arena_deinit(&arena);
}

#define ASKED "/api/trackerd/v1/models/a%20b%2Fc/aliases/x%40y"

static void it_waits_for_another_revision(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ASKED, "{\"version\":\"3\",\"revision\":\"57\"}", ERR_NONE, ALIAS_MOVED, false,
		 "3"},
		{ASKED "?revision=57&wait_ms=700", NULL, ERR_NONE, ALIAS_SAME, true, "3"},
		{ASKED "?revision=57&wait_ms=700", "{\"version\":\"4\",\"revision\":\"60\"}",
		 ERR_NONE, ALIAS_MOVED, true, "4"},
		{ASKED "?revision=60&wait_ms=700", "{\"version\":\"4\",\"revision\":\"60\"}",
		 ERR_NONE, ALIAS_SAME, true, "4"},
		{ASKED "?revision=60&wait_ms=700", NULL, ERR_RESOURCE_DOES_NOT_EXIST, ALIAS_MISSING,
		 false, ""},
		{ASKED "?revision=0&wait_ms=700", NULL, ERR_NONE, ALIAS_SAME, true, ""},
		{ASKED "?revision=0&wait_ms=700", "{\"version\":\"4\",\"revision\":\"71\"}",
		 ERR_NONE, ALIAS_MOVED, true, "4"},
	};
	play(rows, ARRAY_COUNT(rows));
}

/* Answers every question as a server without long ones does. */
static bool get_plain(void *context, const char *path, struct arena *arena,
		      struct json_value **reply, struct error *err)
{
	struct server *server = context;
	static const char asked[] =
		"/api/2.0/mlflow/registered-models/alias?name=a%20b%2Fc&alias=x%40y";
	if (strcmp(path, asked) != 0)
		return error_set(err, ERR_NOT_FOUND, "status 404");
	if (server->row->code != ERR_NONE)
		return error_set(err, server->row->code, "so it is");
	return json_tree_parse(slice_from_cstr(server->row->json), arena, reply, err);
}

static void a_server_without_long_questions_is_asked_as_mlflow_does(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{NULL, "{\"model_version\":{\"version\":\"3\"}}", ERR_NONE, ALIAS_MOVED, false,
		 "3"},
		{NULL, "{\"model_version\":{\"version\":\"3\"}}", ERR_NONE, ALIAS_SAME, false, "3"},
		{NULL, "{\"model_version\":{\"version\":\"1\"}}", ERR_NONE, ALIAS_MOVED, false,
		 "1"},
		{NULL, NULL, ERR_INVALID_PARAMETER_VALUE, ALIAS_MISSING, false, ""},
		{NULL, NULL, ERR_RESOURCE_DOES_NOT_EXIST, ALIAS_MISSING, false, ""},
		{NULL, "{\"model_version\":{\"version\":\"1\"}}", ERR_NONE, ALIAS_MOVED, false,
		 "1"},
	};
	struct server server = {0};
	const struct fetcher fetcher = {.get = get_plain, .context = &server};
	struct alias_poll poll;
	struct alias_reply reply;
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES);
	alias_poll_init(&poll, &fetcher, "a b/c", "x@y");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		server.row = &rows[i];
		assert_true(alias_poll_ask(&poll, 700, &arena, &reply, &err));
		assert_true(poll.is_plain);
		assert_int_equal(reply.answer, rows[i].answer);
		assert_string_equal(poll.version, rows[i].version);
	}
	/* Another server may stand there after a silence. */
	server.row = &(const struct row){.code = ERR_TEMPORARILY_UNAVAILABLE};
	assert_false(alias_poll_ask(&poll, 700, &arena, &reply, &err));
	assert_false(poll.is_plain);
	assert_string_equal(poll.version, "1");
	arena_deinit(&arena);
}

static void answers_that_are_none_fail_and_change_nothing(void **state)
{
	(void)state;
	static const struct row rows[] = {
		{ASKED, "{}", ERR_NONE, ALIAS_SAME, false, ""},
		{ASKED, "{\"version\":\"../x\",\"revision\":\"1\"}", ERR_NONE, ALIAS_SAME, false,
		 ""},
		{ASKED, "{\"version\":\"-1\",\"revision\":\"1\"}", ERR_NONE, ALIAS_SAME, false, ""},
		{ASKED, NULL, ERR_TEMPORARILY_UNAVAILABLE, ALIAS_SAME, false, ""},
		{ASKED, NULL, ERR_PERMISSION_DENIED, ALIAS_SAME, false, ""},
	};
	struct server server = {0};
	const struct fetcher fetcher = {.get = get, .context = &server};
	struct arena arena;
	arena_init(&arena, ARENA_BYTES);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct alias_poll poll;
		struct alias_reply reply;
		struct error err;
		alias_poll_init(&poll, &fetcher, "a b/c", "x@y");
		server.row = &rows[i];
		assert_false(alias_poll_ask(&poll, 700, &arena, &reply, &err));
		assert_string_equal(poll.version, "");
		assert_string_equal(poll.revision, "");
	}
	arena_deinit(&arena);
}

static void delays_double_up_to_their_bound(void **state)
{
	(void)state;
	static const int64_t wanted[] = {1000, 2000, 4000, 5000, 5000};
	for (unsigned i = 0; i < ARRAY_COUNT(wanted); i++)
		assert_int_equal(retry_delay_ms(1000, i, 5000), wanted[i]);
	assert_int_equal(retry_delay_ms(1000, 4000000000U, RETRY_FETCH_MS_MAX), RETRY_FETCH_MS_MAX);
	assert_int_equal(retry_delay_ms(86400000, 5, RETRY_TRIED_MS_MAX), 86400000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_waits_for_another_revision),
		cmocka_unit_test(a_server_without_long_questions_is_asked_as_mlflow_does),
		cmocka_unit_test(answers_that_are_none_fail_and_change_nothing),
		cmocka_unit_test(delays_double_up_to_their_bound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
