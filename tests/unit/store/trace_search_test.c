/* Tests searches of traces: pages that meet without gap or repeat in any order, and filters against a model in C. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "store/assessments.h"
#include "store/trace_search.h"
#include "store/traces.h"
#include "unit/store/tracker_db_helper.h"

enum { TRACES = 120 };

/* Of trace number i; several share a time, and not all have everything. */
struct world_trace {
	char id[16];
	int64_t time_ms, duration_ms; /* the latter -1: none */
	const char *state, *name_or_null, *colour_or_null, *session_or_null;
	int score; /* of feedback, in quarters; -1: none */
	bool is_linked, has_source_run;
};

static struct world_trace world_trace(size_t i)
{
	static const char *const names[] = {"red", "green", NULL, "Blue"};
	struct world_trace w = {
		.time_ms = (int64_t)(i / 3),
		.duration_ms = i % 5 == 0 ? -1 : (int64_t)(i % 7),
		.state = i % 4 == 0 ? "ERROR" : "OK",
		.name_or_null = names[i % 4],
		.colour_or_null = i % 2 == 0 ? names[i % 3] : NULL,
		.session_or_null = i % 6 == 0 ? "s1" : NULL,
		.score = i % 3 == 0 ? (int)(i % 5) : -1,
		.is_linked = i % 10 == 0,
		.has_source_run = i % 11 == 0,
	};
	(void)snprintf(w.id, sizeof(w.id), "tr-%03zu", (i * 37) % TRACES);
	return w;
}

static void add(struct tracker_db *t, const struct world_trace *w)
{
	struct key_value tags[2], metadata[2];
	struct trace trace = {
		.trace_id = slice_from_cstr(w->id),
		.request_time_ms = w->time_ms,
		.has_execution_time = w->duration_ms >= 0,
		.execution_time_ms = w->duration_ms,
		.state = slice_from_cstr(w->state),
		.tags = {tags, 0},
		.metadata = {metadata, 0},
	};
	struct assessment score = {.assessment_id = arena_printf(&t->arena, "a-%s", w->id), .name = SLICE("score"),
				   .value = arena_printf(&t->arena, "%g", w->score / 4.0),
				   .source_type = SLICE("CODE"), .is_valid = true};
	bool is_new;
	if (w->name_or_null != NULL)
		tags[trace.tags.count++] =
			(struct key_value){SLICE("mlflow.traceName"), slice_from_cstr(w->name_or_null)};
	if (w->colour_or_null != NULL)
		tags[trace.tags.count++] = (struct key_value){SLICE("colour"), slice_from_cstr(w->colour_or_null)};
	if (w->session_or_null != NULL)
		metadata[trace.metadata.count++] =
			(struct key_value){SLICE("mlflow.trace.session"), slice_from_cstr(w->session_or_null)};
	if (w->has_source_run)
		metadata[trace.metadata.count++] = (struct key_value){SLICE("mlflow.sourceRun"), SLICE(RUN_1)};
	trace.assessments = (struct assessment_list){&score, w->score >= 0};
	CHECK(t, trace_put_in_txn(t->db, &trace, SLICE("x:/"), &t->arena, &is_new, &t->err));
	if (w->is_linked)
		CHECK(t, trace_link_run_in_txn(t->db, trace.trace_id, SLICE(RUN_1), &t->err));
}

static int setup(void **state)
{
	if (tracker_db_setup(state) != 0)
		return -1;
	for (size_t i = 0; i < TRACES; i++) {
		struct world_trace w = world_trace(i);
		add(*state, &w);
	}
	return 0;
}

/* All pages of a search, one after the other; ids[TRACES]. */
static size_t search_all(struct tracker_db *t, const char *filter, const char *order_by, size_t rows_max,
			 struct slice *ids)
{
	const int64_t experiment_ids[] = {0, 7};
	const struct slice clause = slice_from_cstr(order_by);
	struct trace_search search = {
		.experiment_ids = experiment_ids,
		.experiment_count = rows_max % 2 + 1, /* one, which an index serves, or two */
		.filter = slice_from_cstr(filter),
		.order_by = &clause,
		.order_by_count = order_by != NULL,
		.rows_max = rows_max,
	};
	size_t count = 0;
	do {
		struct trace_list list;
		CHECK(t, trace_search(t->db, &search, &t->arena, &list, &search.page_token, &t->err));
		assert_true(list.count == rows_max || !slice_is_present(search.page_token));
		assert_true(count + list.count <= TRACES);
		for (size_t i = 0; i < list.count; i++)
			ids[count++] = list.items[i].trace_id;
	} while (slice_is_present(search.page_token));
	return count;
}

static void test_pages_of_any_order_make_the_whole(void **state)
{
	static const char *const orders[] = {NULL, "timestamp_ms", "execution_time DESC", "name", "tags.colour DESC",
					     "status", "end_time", "request_id DESC", "experiment_id",
					     "metadata.`mlflow.trace.session`", "session DESC"};
	struct slice whole[TRACES], paged[TRACES];
	for (size_t o = 0; o < ARRAY_COUNT(orders); o++) {
		assert_int_equal(search_all(*state, NULL, orders[o], TRACES, whole), TRACES);
		for (size_t rows_max = 6; rows_max <= 7; rows_max++) {
			assert_int_equal(search_all(*state, NULL, orders[o], rows_max, paged), TRACES);
			for (size_t i = 0; i < TRACES; i++)
				assert_true(slice_eq(whole[i], paged[i]));
		}
	}
	/* By default the newest first, then by id. */
	(void)search_all(*state, NULL, NULL, TRACES, whole);
	struct world_trace newest = world_trace(TRACES - 1);
	bool is_among_first = false;
	for (size_t i = 0; i < 3; i++)
		is_among_first = is_among_first || slice_eq_cstr(whole[i], newest.id);
	assert_true(is_among_first && slice_compare(whole[0], whole[1]) < 0);
}

static bool is_text(const char *text_or_null, const char *expected)
{
	return text_or_null != NULL && strcmp(text_or_null, expected) == 0;
}

static bool is_late(const struct world_trace *w)
{
	return w->time_ms >= 20;
}
static bool is_slow(const struct world_trace *w)
{
	return w->duration_ms > 3;
}
static bool has_ended_late(const struct world_trace *w)
{
	return w->time_ms + (w->duration_ms < 0 ? 0 : w->duration_ms) > 30;
}
static bool has_no_duration(const struct world_trace *w)
{
	return w->duration_ms < 0;
}
static bool is_error(const struct world_trace *w)
{
	return is_text(w->state, "ERROR");
}
static bool is_red(const struct world_trace *w)
{
	return is_text(w->name_or_null, "red");
}
static bool is_named_but_not_red(const struct world_trace *w)
{
	return w->name_or_null != NULL && !is_red(w);
}
static bool is_blue_or_red(const struct world_trace *w)
{
	return is_red(w) || is_text(w->name_or_null, "Blue");
}
static bool has_no_name(const struct world_trace *w)
{
	return w->name_or_null == NULL;
}
static bool is_green_tagged(const struct world_trace *w)
{
	return is_text(w->colour_or_null, "green");
}
static bool has_no_colour(const struct world_trace *w)
{
	return w->colour_or_null == NULL;
}
static bool has_session(const struct world_trace *w)
{
	return w->session_or_null != NULL;
}
static bool is_of_run(const struct world_trace *w)
{
	return w->is_linked || w->has_source_run;
}
static bool is_good(const struct world_trace *w)
{
	return w->score > 2;
}
static bool is_half(const struct world_trace *w)
{
	return w->score == 2;
}
static bool is_not_scored(const struct world_trace *w)
{
	return w->score < 0;
}
static bool is_late_error_of_run(const struct world_trace *w)
{
	return is_late(w) && is_error(w) && is_of_run(w);
}
static bool is_none(const struct world_trace *w)
{
	(void)w;
	return false;
}

static const struct {
	const char *filter;
	bool (*matches)(const struct world_trace *w);
} filters[] = {
	{"timestamp >= 20", is_late},
	{"attributes.timestamp_ms >= 20", is_late},
	{"execution_time_ms > 3", is_slow},
	{"trace.execution_time > 3", is_slow},
	{"end_time > 30", has_ended_late},
	{"execution_time IS NULL", has_no_duration},
	{"status = 'ERROR'", is_error},
	{"attr.status NOT IN ('OK')", is_error},
	{"name = 'red'", is_red},
	{"tags.mlflow.traceName = 'red'", is_red},
	{"name != 'red'", is_named_but_not_red},
	{"name IN ('Blue', 'red')", is_blue_or_red},
	{"name ILIKE 'b%' OR name LIKE 'r_d'", is_blue_or_red},
	{"name LIKE 'b%'", is_none},
	{"name RLIKE '^(red|Blue)$'", is_blue_or_red},
	{"tags.mlflow.traceName RLIKE 'ed$'", is_red},
	{"feedback.score RLIKE '^0\\.5$'", is_half},
	{"name IS NULL", has_no_name},
	{"tag.colour = 'green'", is_green_tagged},
	{"tags.colour IS NULL", has_no_colour},
	{"session = 's1'", has_session},
	{"metadata.`mlflow.trace.session` = 's1'", has_session},
	{"request_metadata.mlflow.trace.session IS NOT NULL", has_session},
	{"run_id = '" RUN_1 "'", is_of_run},
	{"attributes.run_id IN ('" RUN_1 "', 'x')", is_of_run},
	{"run_id = '" RUN_2 "'", is_none},
	{"feedback.score > 0.5", is_good},
	{"feedback.score = '0.5'", is_half},
	{"feedback.score IS NULL", is_not_scored},
	{"expectation.score > 0", is_none},
	{"prompt = 'p/1'", is_none},
	{"timestamp >= 20 AND status = 'ERROR' AND run_id = '" RUN_1 "'", is_late_error_of_run},
};

static void test_filters_find_what_a_model_in_c_finds(void **state)
{
	for (size_t f = 0; f < ARRAY_COUNT(filters); f++) {
		struct slice ids[TRACES];
		size_t expected = 0;
		size_t count = search_all(*state, filters[f].filter, NULL, TRACES, ids);
		for (size_t i = 0; i < TRACES; i++) {
			struct world_trace w = world_trace(i);
			bool is_found = false;
			for (size_t k = 0; k < count; k++)
				is_found = is_found || slice_eq_cstr(ids[k], w.id);
			if (is_found != filters[f].matches(&w))
				fail_msg("%s: %s is %sfound", filters[f].filter, w.id, is_found ? "" : "not ");
			expected += filters[f].matches(&w);
		}
		assert_int_equal(count, expected);
	}
}

/* With the beginning of the message. */
static const struct {
	const char *filter, *order_by, *message;
} refused[] = {
	{"nothing = 'x'", NULL, "Invalid attribute key 'nothing' specified."},
	{"span.name = 'x'", NULL, "Invalid entity type 'span'."},
	{"name RLIKE '('", NULL, "Invalid regular expression '(': a '(' is not closed"},
	{"timestamp RLIKE '1'", NULL, "Expected numeric value type for numeric attribute"},
	{"prompt LIKE 'x'", NULL, "Invalid comparator 'LIKE' not one of"},
	{"feedback.score > '1'", NULL, "Expected numeric value type for feedback."},
	{"feedback.score = 1", NULL, "Expected a quoted string value for feedback"},
	{"feedback.score IN ('1')", NULL, "Invalid comparator 'IN' not one of"},
	{"timestamp = 'x'", NULL, "Expected numeric value type for numeric attribute: timestamp_ms."},
	{NULL, "feedback.score", "Invalid order_by clause 'feedback.score'"},
	{NULL, "run_id", "Invalid order_by clause 'run_id'"},
	{NULL, "issue.id", "Invalid order_by clause 'issue.id'"},
	{NULL, "nothing DESC", "Invalid attribute key 'nothing' specified."},
};

static void test_bad_searches_are_refused(void **state)
{
	struct tracker_db *t = *state;
	for (size_t i = 0; i < ARRAY_COUNT(refused); i++) {
		const int64_t experiment_id = 0;
		const struct slice clause = slice_from_cstr(refused[i].order_by);
		const struct trace_search search = {
			.experiment_ids = &experiment_id,
			.experiment_count = 1,
			.filter = slice_from_cstr(refused[i].filter),
			.order_by = &clause,
			.order_by_count = refused[i].order_by != NULL,
			.rows_max = 1,
		};
		struct trace_list list;
		struct slice token;
		if (trace_search(t->db, &search, &t->arena, &list, &token, &t->err))
			fail_msg("row %zu was accepted", i);
		assert_int_equal(t->err.code, ERR_INVALID_PARAMETER_VALUE);
		if (strncmp(t->err.message, refused[i].message, strlen(refused[i].message)) != 0)
			fail_msg("row %zu: %s", i, t->err.message);
	}
}

static void test_no_experiment_holds_no_traces(void **state)
{
	struct tracker_db *t = *state;
	const struct trace_search search = {.rows_max = 5};
	struct trace_list list = {NULL, 7};
	struct slice token = SLICE("x");
	CHECK(t, trace_search(t->db, &search, &t->arena, &list, &token, &t->err));
	assert_int_equal(list.count, 0);
	assert_false(slice_is_present(token));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, tracker_db_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages_of_any_order_make_the_whole),
		TEST(test_filters_find_what_a_model_in_c_finds),
		TEST(test_bad_searches_are_refused),
		TEST(test_no_experiment_holds_no_traces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
