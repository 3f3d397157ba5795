/* The metric endpoints from query string to reply: fields, checks, pages, errors and JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "api/metrics.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json/json_reader.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/metrics.h"
#include "store/migrations.h"
#include "store/runs.h"

#define RUN_A "0000000000000000000000000000000a"
#define RUN_B "0000000000000000000000000000000b"

struct fixture {
	char directory[64];
	char path[96];
	struct db *db; /* read-only, as workers have it */
	struct arena arena;
	struct error err;
	struct buffer reply;
};

static void check(struct fixture *f, bool ok)
{
	if (!ok)
		fail_msg("%s", f->err.message);
}

static void add_run(struct fixture *f, struct db *db, const char *run_id,
		    const struct metric_point *points, size_t count)
{
	const struct run_new run = {.run_id = slice_from_cstr(run_id),
				    .experiment_location = SLICE("mlflow-artifacts:/0"),
				    .name = SLICE("a name"),
				    .user_id = SLICE("ada")};
	struct run_pk pk = {0};
	check(f, run_insert_in_txn(db, &run, &f->arena, &pk, &f->err));
	check(f, metrics_append_in_txn(db, pk, 0, points, count, &f->arena, &f->err));
}

/* Run a: loss 4, 3, 2, NaN, Infinity at steps 0 to 4 and times 10 to 14, and acc 0.5. Run b: loss 9 at step 2. */
static void fill(struct fixture *f)
{
	const struct metric_point a[] = {
		{SLICE("loss"), 4.0, 10, 0},
		{SLICE("loss"), 3.0, 11, 1},
		{SLICE("loss"), 2.0, 12, 2},
		{SLICE("loss"), (double)NAN, 13, 3},
		{SLICE("loss"), (double)INFINITY, 14, 4},
		{SLICE("acc"), 0.5, 14, 4},
	};
	const struct metric_point b[] = {{SLICE("loss"), 9.0, 12, 2}};
	const struct db_options options = {.mode = DB_READ_WRITE};
	struct db *db;
	check(f, db_open(f->path, &options, &db, &f->err));
	check(f, migrations_apply(db, "tracker", &f->err));
	check(f, experiment_seed_default(db, SLICE("mlflow-artifacts:/"), 1, &f->arena, &f->err));
	check(f, db_exec(db, SQL("BEGIN IMMEDIATE"), &f->err));
	add_run(f, db, RUN_A, a, ARRAY_COUNT(a));
	add_run(f, db, RUN_B, b, ARRAY_COUNT(b));
	check(f, db_exec(db, SQL("COMMIT"), &f->err));
	db_close(db);
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct db_options options = {.mode = DB_READ_ONLY};
	assert_non_null(f);
	(void)snprintf(f->directory, sizeof(f->directory), "/tmp/trackerd-test-XXXXXX");
	assert_non_null(mkdtemp(f->directory));
	(void)snprintf(f->path, sizeof(f->path), "%s/tracker.db", f->directory);
	arena_init(&f->arena, (size_t)64 << 20);
	buffer_init(&f->reply, (size_t)1 << 20);
	fill(f);
	check(f, db_open(f->path, &options, &f->db, &f->err));
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
		(void)unlink(path); /* the last two may not exist */
	}
	assert_int_equal(rmdir(f->directory), 0);
	buffer_deinit(&f->reply);
	arena_deinit(&f->arena);
	free(f);
	return 0;
}

/* The reply's text, or NULL with f->err set. */
static const char *get(struct fixture *f, const struct endpoint *endpoint, struct slice query)
{
	struct call call = {.arena = &f->arena};
	struct json_writer w;
	error_clear(&f->err);
	call.request = arena_alloc(&f->arena, 1, endpoint->request_bytes);
	if (!fields_decode_query(endpoint->fields_or_null, query, &f->arena, call.request,
				 &f->err) ||
	    (endpoint->check != NULL && !endpoint->check(&call, &f->err)) ||
	    !endpoint->execute(&call, f->db, &f->err)) {
		db_reset_all(f->db);
		return NULL;
	}
	buffer_reset(&f->reply);
	json_writer_init(&w, &f->reply);
	endpoint->encode(&call, &w);
	assert_true(json_writer_is_complete(&w));
	return arena_cstr(&f->arena, buffer_slice(&f->reply));
}

/* A request and its whole reply, or the message of its error. */
struct row {
	const struct endpoint *endpoint;
	const char *query;
	const char *reply_or_null;
	enum error_code code;
	const char *message_part;
};

#define POINT(value, timestamp, step)                                                              \
	"{\"key\":\"loss\",\"value\":" value ",\"timestamp\":" timestamp ",\"step\":" step
#define ROW(value, timestamp, step) POINT(value, timestamp, step) "}"
#define RUN_ROW(run, value, timestamp, step)                                                       \
	POINT(value, timestamp, step) ",\"run_id\":\"" run "\"}"
#define GREATEST "1.7976931348623157e+308"

static const struct row rows[] = {
	{&metrics_get_history, "run_id=" RUN_A "&metric_key=loss",
	 "{\"metrics\":[" ROW("4.0", "10", "0") "," ROW("3.0", "11", "1") "," ROW(
		 "2.0", "12", "2") "," ROW("\"NaN\"", "13", "3") "," ROW(GREATEST, "14", "4") "]}"},
	{&metrics_get_history, "run_uuid=" RUN_B "&metric_key=loss&max_results=1",
	 "{\"metrics\":[" ROW("9.0", "12", "2") "]}"},
	{&metrics_get_history, "run_id=" RUN_A "&metric_key=unknown", "{}"},
	{&metrics_get_history, "run_id=" RUN_B "&metric_key=acc", "{}"},
	{&metrics_get_history, "run_id=x&metric_key=loss", NULL, ERR_RESOURCE_DOES_NOT_EXIST,
	 "Run with id=x not found"},
	{&metrics_get_history, "run_id=" RUN_A, NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'metric_key'"},
	{&metrics_get_history, "metric_key=loss", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'run_id'"},
	{&metrics_get_history, "run_id=" RUN_A "&metric_key=loss&max_results=0", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "'max_results'"},
	{&metrics_get_history, "run_id=" RUN_A "&metric_key=loss&page_token=x", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "Invalid page token"},

	{&metrics_history_bulk,
	 "run_id=" RUN_B "&run_id=" RUN_A "&run_id=" RUN_B
	 "&run_id=x&metric_key=loss&max_results=4",
	 "{\"metrics\":[" RUN_ROW(RUN_A, "4.0", "10", "0") "," RUN_ROW(
		 RUN_A, "3.0", "11", "1") "," RUN_ROW(RUN_A, "2.0", "12",
						      "2") "," RUN_ROW(RUN_A, "\"NaN\"", "13",
								       "3") "]}"},
	{&metrics_history_bulk, "run_id=" RUN_B "&metric_key=unknown", "{\"metrics\":[]}"},
	{&metrics_history_bulk, "metric_key=loss", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "GetMetricHistoryBulk request must specify at least one run_id."},
	{&metrics_history_bulk, "run_id=a", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "GetMetricHistoryBulk request must specify a metric_key."},

	{&metrics_history_bulk_interval,
	 "run_ids=" RUN_B "&run_ids=" RUN_A "&metric_key=loss&start_step=1&end_step=2",
	 "{\"metrics\":[" RUN_ROW(RUN_A, "3.0", "11", "1") "," RUN_ROW(
		 RUN_A, "2.0", "12", "2") "," RUN_ROW(RUN_B, "9.0", "12", "2") "]}"},
	{&metrics_history_bulk_interval, "run_ids=a&metric_key=loss&max_results=2501", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "max_results must be between 1 and 2500."},
	{&metrics_history_bulk_interval, "run_ids=a&metric_key=loss&max_results=0", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "max_results must be between 1 and 2500."},
	{&metrics_history_bulk_interval, "run_ids=a&metric_key=loss&start_step=1", NULL,
	 ERR_INVALID_PARAMETER_VALUE,
	 "If either start step or end step are specified, both must be specified."},
	{&metrics_history_bulk_interval, "run_ids=a&metric_key=loss&start_step=1&end_step=0", NULL,
	 ERR_INVALID_PARAMETER_VALUE,
	 "end_step must be greater than start_step. Found start_step=1 and end_step=0."},
	{&metrics_history_bulk_interval, "metric_key=loss", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'run_ids'"},
	{&metrics_history_bulk_interval, "run_ids=a", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'metric_key'"},

	{&metrics_curves,
	 "run_ids=" RUN_B "&run_ids=" RUN_A
	 "&metric_keys=acc&metric_keys=loss&metric_keys=none&buckets=2&run_ids=" RUN_B,
	 "{\"curves\":[{\"run_id\":\"" RUN_B
	 "\",\"metric_key\":\"loss\",\"point_count\":1,\"is_exact\":true,"
	 "\"steps\":[2],\"last_steps\":[2],\"timestamps\":[12],\"last_timestamps\":[12],\"firsts\":"
	 "[9.0],"
	 "\"lasts\":[9.0],\"mins\":[9.0],\"maxs\":[9.0],\"counts\":[1],\"nan_counts\":[0]},"
	 "{\"run_id\":\"" RUN_A "\",\"metric_key\":\"acc\",\"point_count\":1,\"is_exact\":true,"
	 "\"steps\":[4],\"last_steps\":[4],\"timestamps\":[14],\"last_timestamps\":[14],\"firsts\":"
	 "[0.5],"
	 "\"lasts\":[0.5],\"mins\":[0.5],\"maxs\":[0.5],\"counts\":[1],\"nan_counts\":[0]},"
	 "{\"run_id\":\"" RUN_A "\",\"metric_key\":\"loss\",\"point_count\":5,\"is_exact\":false,"
	 "\"steps\":[0,3],\"last_steps\":[2,4],\"timestamps\":[10,13],\"last_timestamps\":[12,14],"
	 "\"firsts\":[4.0,\"NaN\"],\"lasts\":[2.0,\"Infinity\"],\"mins\":[2.0,\"Infinity\"],"
	 "\"maxs\":[4.0,\"Infinity\"],\"counts\":[3,2],\"nan_counts\":[0,1]}]}"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&x=time&start=11&end=11",
	 "{\"curves\":[{\"run_id\":\"" RUN_A
	 "\",\"metric_key\":\"loss\",\"point_count\":1,\"is_exact\":true,"
	 "\"steps\":[1],\"last_steps\":[1],\"timestamps\":[11],\"last_timestamps\":[11],\"firsts\":"
	 "[3.0],"
	 "\"lasts\":[3.0],\"mins\":[3.0],\"maxs\":[3.0],\"counts\":[1],\"nan_counts\":[0]}]}"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=none", "{}"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&start=50", "{}"},
	{&metrics_curves, "run_ids=x&metric_keys=loss", NULL, ERR_RESOURCE_DOES_NOT_EXIST,
	 "Run with id=x not found"},
	{&metrics_curves, "run_ids=" RUN_A, NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'metric_keys'"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&buckets=0", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "between 1 and 5000"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=none&buckets=5000", "{}"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&buckets=5001", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "between 1 and 5000"},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&start=2&end=1", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "Found start=2 and end=1."},
	{&metrics_curves, "run_ids=" RUN_A "&metric_keys=loss&x=epoch", NULL,
	 ERR_INVALID_PARAMETER_VALUE, "'x'"},

	{&metrics_summary, "run_ids=" RUN_A "&run_ids=" RUN_B,
	 "{\"runs\":[{\"run_id\":\"" RUN_A "\",\"metrics\":["
	 "{\"key\":\"acc\",\"point_count\":1,\"last\":0.5,\"last_step\":4,\"last_timestamp\":14,"
	 "\"min\":0.5,"
	 "\"min_step\":4,\"max\":0.5,\"max_step\":4,\"first_step\":4,\"first_timestamp\":14},"
	 "{\"key\":\"loss\",\"point_count\":5,\"last\":\"Infinity\",\"last_step\":4,\"last_"
	 "timestamp\":14,"
	 "\"min\":2.0,\"min_step\":2,\"max\":\"Infinity\",\"max_step\":4,\"first_step\":0,"
	 "\"first_timestamp\":10}]},"
	 "{\"run_id\":\"" RUN_B "\",\"metrics\":["
	 "{\"key\":\"loss\",\"point_count\":1,\"last\":9.0,\"last_step\":2,\"last_timestamp\":12,"
	 "\"min\":9.0,"
	 "\"min_step\":2,\"max\":9.0,\"max_step\":2,\"first_step\":2,\"first_timestamp\":12}]}]}"},
	{&metrics_summary, "run_ids=x", NULL, ERR_RESOURCE_DOES_NOT_EXIST,
	 "Run with id=x not found"},
	{&metrics_summary, "", NULL, ERR_INVALID_PARAMETER_VALUE,
	 "Missing value for required parameter 'run_ids'"},
};

static void test_each_request_gets_its_reply_or_its_error(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		const char *reply = get(f, row->endpoint, slice_from_cstr(row->query));
		if (row->reply_or_null != NULL) {
			if (reply == NULL)
				fail_msg("%s: %s", row->query, f->err.message);
			assert_string_equal(reply, row->reply_or_null);
			continue;
		}
		if (reply != NULL)
			fail_msg("%s: no error", row->query);
		assert_string_equal(error_code_name(f->err.code), error_code_name(row->code));
		if (!slice_contains(slice_from_cstr(f->err.message),
				    slice_from_cstr(row->message_part)))
			fail_msg("%s: %s", row->query, f->err.message);
	}
}

/* The token of a page, in the arena; NULL on the last one. */
static const char *next_token(struct fixture *f, const char *reply, size_t *count_out)
{
	struct json_node root;
	check(f, json_read(slice_from_cstr(reply), &f->arena, &root, &f->err));
	*count_out = json_node_count(json_node_member(root, SLICE("metrics")));
	struct slice token = json_node_string(json_node_member(root, SLICE("next_page_token")));
	return slice_is_present(token) ? arena_cstr(&f->arena, token) : NULL;
}

static void test_pages_continue_by_token_also_behind_a_nan(void **state)
{
	struct fixture *f = *state;
	struct slice query = SLICE("run_id=" RUN_A "&metric_key=loss&max_results=1");
	size_t count = 0, pages = 0;
	const char *token = "";
	while (token != NULL) {
		const char *reply =
			get(f, &metrics_get_history,
			    arena_printf(&f->arena, "%.*s&page_token=%s", SLICE_FMT(query), token));
		if (reply == NULL)
			fail_msg("%s", f->err.message);
		token = next_token(f, reply, &count);
		assert_int_equal(count, 1);
		pages++;
	}
	assert_int_equal(pages, 5);
}

static void test_a_token_belongs_to_its_run_and_metric(void **state)
{
	struct fixture *f = *state;
	size_t count;
	const char *reply = get(f, &metrics_get_history,
				SLICE("run_id=" RUN_A "&metric_key=loss&max_results=2"));
	const char *token = next_token(f, reply, &count);
	assert_non_null(token);
	static const char *const others[] = {"run_id=" RUN_B "&metric_key=loss",
					     "run_id=" RUN_A "&metric_key=acc"};
	for (size_t i = 0; i < ARRAY_COUNT(others); i++) {
		assert_null(get(f, &metrics_get_history,
				arena_printf(&f->arena, "%s&page_token=%s", others[i], token)));
		assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
	}
}

/* "name=x" count times. */
static struct slice repeated(struct fixture *f, const char *name, unsigned count)
{
	struct slice text = SLICE("");
	for (unsigned i = 0; i < count; i++)
		text = arena_concat(&f->arena, text,
				    arena_printf(&f->arena, "%s%s=x%u", i > 0 ? "&" : "", name, i));
	return text;
}

static void test_lists_are_bounded(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const struct endpoint *endpoint;
		const char *name, *rest;
		unsigned count_max;
		bool is_found; /* at the limit the request is fine, but the runs do not exist */
	} lists[] = {
		{&metrics_history_bulk, "run_id", "&metric_key=loss", 100, true},
		{&metrics_history_bulk_interval, "run_ids", "&metric_key=loss", 100, true},
		{&metrics_curves, "run_ids", "&metric_keys=loss", CURVES_MAX, false},
		{&metrics_summary, "run_ids", "", CURVES_MAX, false},
	};
	for (size_t i = 0; i < ARRAY_COUNT(lists); i++) {
		struct slice rest = slice_from_cstr(lists[i].rest);
		const char *reply =
			get(f, lists[i].endpoint,
			    arena_concat(&f->arena, repeated(f, lists[i].name, lists[i].count_max),
					 rest));
		assert_int_equal(reply != NULL, lists[i].is_found);
		assert_int_equal(f->err.code,
				 lists[i].is_found ? ERR_NONE : ERR_RESOURCE_DOES_NOT_EXIST);
		reply = get(f, lists[i].endpoint,
			    arena_concat(&f->arena,
					 repeated(f, lists[i].name, lists[i].count_max + 1), rest));
		assert_null(reply);
		assert_int_equal(f->err.code, ERR_INVALID_PARAMETER_VALUE);
	}
}

int main(void)
{
	json_reader_setup();
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_request_gets_its_reply_or_its_error,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pages_continue_by_token_also_behind_a_nan,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_a_token_belongs_to_its_run_and_metric, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(test_lists_are_bounded, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
