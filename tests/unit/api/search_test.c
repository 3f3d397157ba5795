/* The search endpoints from request to reply: fields, checks, pages and JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json/json_reader.h"
#include "store/experiments.h"
#include "store/metrics.h"
#include "store/migrations.h"
#include "store/runs.h"

enum { ARENA_BYTES = 64 * 1024 * 1024, REPLY_BYTES = 1024 * 1024 };

struct fixture {
	char directory[64];
	char path[96];
	struct db *db;
	struct arena arena;
	struct error err;
	struct buffer reply;
};

static void check(struct fixture *f, bool ok)
{
	if (!ok)
		fail_msg("%s", f->err.message);
}

/* Runs 1 to 3 with the metric "rmse" of their number; run 3 is the newest. */
static void fill(struct fixture *f)
{
	for (int i = 1; i <= 3; i++) {
		const struct metric_point point = {SLICE("rmse"), i, 100 + i, i};
		const struct run_new run = {
			.run_id = arena_printf(&f->arena, "%032d", i),
			.experiment_location = SLICE("mlflow-artifacts:/0"),
			.name = arena_printf(&f->arena, "run %d", i),
			.user_id = SLICE("ada"),
			.start_time_ms = 1000 + i,
		};
		struct run_pk pk;
		check(f, run_insert_in_txn(f->db, &run, &f->arena, &pk, &f->err));
		check(f, metrics_append_in_txn(f->db, pk, 0, &point, 1, &f->arena, &f->err));
	}
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct db_options options = {.mode = DB_READ_WRITE};
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/trackerd-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/tracker.db", f->directory);
	arena_init(&f->arena, ARENA_BYTES);
	buffer_init(&f->reply, REPLY_BYTES);
	check(f, db_open(f->path, &options, &f->db, &f->err));
	check(f, migrations_apply(f->db, "tracker", &f->err));
	check(f,
	      experiment_seed_default(f->db, SLICE("mlflow-artifacts:/"), 1, &f->arena, &f->err));
	check(f, db_exec(f->db, SQL("BEGIN IMMEDIATE"), &f->err));
	fill(f);
	check(f, db_exec(f->db, SQL("COMMIT"), &f->err));
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	db_close(f->db);
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->directory), 0);
	buffer_deinit(&f->reply);
	arena_deinit(&f->arena);
	free(f);
	return 0;
}

/* The reply as text, or the sentence of the error. A request that starts with '{' is a body, else a query string. */
static const char *answer(struct fixture *f, const struct endpoint *endpoint, const char *request)
{
	struct slice text = slice_from_cstr(request);
	struct call call = {.arena = &f->arena};
	struct json_writer w;
	call.request = arena_alloc(&f->arena, 1, endpoint->request_bytes);
	bool ok = request[0] == '{' ? fields_decode_json(endpoint->fields_or_null, text, &f->arena,
							 call.request, &f->err)
				    : fields_decode_query(endpoint->fields_or_null, text, &f->arena,
							  call.request, &f->err);
	ok = ok && (endpoint->check == NULL || endpoint->check(&call, &f->err)) &&
	     endpoint->execute(&call, f->db, &f->err);
	/* Nothing of a request is left open on the connection. */
	assert_false(db_in_transaction(f->db));
	if (!ok)
		return f->err.message;
	buffer_reset(&f->reply);
	json_writer_init(&w, &f->reply);
	endpoint->encode(&call, &w);
	assert_true(json_writer_is_complete(&w));
	return arena_cstr(&f->arena, buffer_slice(&f->reply));
}

struct row {
	const struct endpoint *endpoint;
	const char *request;
	const char *part; /* of the answer; "=" in front: all of it */
};

static const struct row rows[] = {
	{&runs_search, "{}", "={}"},
	{&runs_search, "{\"experiment_ids\":[]}", "={}"},
	{&runs_search, "{\"experiment_ids\":[\"x\",\"7\"]}", "={}"},
	{&runs_search, "{\"experiment_ids\":[\"0\"]}",
	 "{\"runs\":[{\"info\":{\"run_id\":\"00000000000000000000000000000003\""},
	{&runs_search,
	 "{\"experimentIds\":[\"0\"],\"orderBy\":[\"start_time\"],\"maxResults\":\"1\"}",
	 "{\"runs\":[{\"info\":{\"run_id\":\"00000000000000000000000000000001\""},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"max_results\":2}", "\"next_page_token\":\""},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"filter\":\"metrics.rmse = 2\"}",
	 "\"run_name\":\"run 2\""},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"run_view_type\":\"DELETED_ONLY\"}", "={}"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"run_view_type\":2}", "={}"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"filter\":\"m.x > 1\"}",
	 "Invalid entity type 'm'"},
	{&runs_search, "{\"filter\":\"metrics.x\"}", "Invalid clause(s) in filter string"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"order_by\":[\"metrics.a b\"]}",
	 "Invalid order_by clause 'metrics.a b'"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"page_token\":\"zzz\"}", "Invalid page token"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"max_results\":0}",
	 "=Invalid value 0 for parameter 'max_results' supplied. It must be a positive integer"},
	{&runs_search, "{\"experiment_ids\":[\"0\"],\"max_results\":50001}",
	 "=Invalid value 50001 for parameter 'max_results' supplied. It must be at most 50000"},
	{&runs_search, "{\"experiment_ids\":\"0\"}", "for parameter 'experiment_ids' supplied"},
	{&experiments_search, "{}",
	 "{\"experiments\":[{\"experiment_id\":\"0\",\"name\":\"Default\""},
	{&experiments_search,
	 "max_results=5&filter=name%20LIKE%20'Def%25'&order_by=name&order_by=experiment_id%20DESC",
	 "\"name\":\"Default\""},
	{&experiments_search, "view_type=DELETED_ONLY", "={}"},
	{&experiments_search, "filter=name%20=%20'x'", "={}"},
	{&experiments_search, "max_results=0", "It must be a positive integer"},
	{&experiments_search, "order_by=nothing", "Invalid attribute key 'nothing'"},
	{&runs_best, "experiment_id=0&metric=rmse",
	 "\"value\":1.0,\"step\":1,\"timestamp\":101}]}"},
	{&runs_best, "experiment_name=Default&metric=rmse&order=max&top=2",
	 "{\"runs\":[{\"run\":{\"info\":{\"run_id\":\"00000000000000000000000000000003\""},
	{&runs_best, "experiment_id=0&metric=rmse&value=max&filter=metrics.rmse%20%3E%201",
	 "\"value\":2.0,\"step\":2}]}"},
	{&runs_best, "experiment_id=0&metric=other", "={}"},
	{&runs_best, "experiment_id=0&metric=rmse&top=1000", "\"runs\""},
	{&runs_best, "experiment_id=0&metric=rmse&top=1001",
	 "=Invalid value 1001 for parameter 'top' supplied. It must be between 1 and 1000"},
	{&runs_best, "experiment_id=0&metric=rmse&top=0", "It must be between 1 and 1000"},
	{&runs_best, "experiment_id=0&metric=rmse&order=up", "for parameter 'order' supplied"},
	{&runs_best, "experiment_id=0", "Missing value for required parameter 'metric'"},
	{&runs_best, "metric=rmse", "Missing value for required parameter 'experiment_id'"},
	{&runs_best, "metric=rmse&experiment_id=0&experiment_name=Default", "Only one of"},
	{&runs_best, "metric=rmse&experiment_id=77", "=No Experiment with id=77 exists"},
	{&runs_best, "metric=rmse&experiment_name=nope",
	 "=Could not find experiment with name 'nope'"},
	{&runs_best, "metric=rmse&experiment_id=x", "Invalid experiment ID 'x'"},
	{&runs_best, "metric=rmse&experiment_id=0&filter=oops",
	 "Invalid clause(s) in filter string"},
};

static void test_requests_get_their_answers(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const char *got = answer(f, rows[i].endpoint, rows[i].request);
		bool is_whole = rows[i].part[0] == '=';
		const char *part = rows[i].part + is_whole;
		if (is_whole ? strcmp(got, part) != 0 : strstr(got, part) == NULL)
			fail_msg("%s\nexpected %s\ngot %s", rows[i].request, part, got);
	}
}

static void test_the_token_of_a_reply_gets_the_next_page(void **state)
{
	struct fixture *f = *state;
	static const char key[] = "\"next_page_token\":\"";
	const char *got = answer(f, &runs_search, "{\"experiment_ids\":[\"0\"],\"max_results\":2}");
	const char *token = strstr(got, key);
	assert_non_null(token);
	token += sizeof(key) - 1;
	struct slice request = arena_printf(
		&f->arena, "{\"experiment_ids\":[\"0\"],\"max_results\":2,\"page_token\":\"%.*s\"}",
		(int)strcspn(token, "\""), token);
	got = answer(f, &runs_search, arena_cstr(&f->arena, request));
	assert_non_null(strstr(got, "\"run_name\":\"run 1\""));
	assert_null(strstr(got, "\"run_name\":\"run 2\""));
	assert_null(strstr(got, key));
}

int main(void)
{
	json_reader_setup();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests_get_their_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_token_of_a_reply_gets_the_next_page,
						set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
