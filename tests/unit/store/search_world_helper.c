/* Random runs and random filters. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "unit/store/search_world_helper.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "store/metrics.h"
#include "store/names.h"

const char *const world_metric_names[WORLD_METRICS] = {"rmse", "val/loss", "a metric.x"};
const char *const world_param_names[WORLD_PARAMS] = {"lr", "a \"name\""};
const char *const world_tag_names[WORLD_TAGS] = {"mlflow.source.name", "team `x`"};

static const char *const statuses[] = {"RUNNING", "FINISHED", "FAILED"};
static const char *const texts[] = {
	"",	"a",  "A", "ab", "aB", "a%b", "a_b", "\xc3\xa9\xc3\xa9", "\xc3\x89\xc3\xa9",
	"it's", "10", "9"};
static const char *const patterns[] = {"",    "%",    "_",	   "a%", "%b",	"A_",
				       "_%_", "a%%b", "\xc3\xa9%", "__", "%'%", "%a%b%"};
static const double numbers[] = {-1.5, -0.0, 0.0, 0.25, 1, 1.0000000000000002, 2, 1e300};

#define PICK(world, array) ((array)[world_random((world), ARRAY_COUNT(array))])

enum operand {
	OPERAND_METRIC,
	OPERAND_PARAM,
	OPERAND_TAG,
	OPERAND_STATUS,
	OPERAND_NAME,
	OPERAND_RUN_ID,
	OPERAND_START,
	OPERAND_END,
	OPERAND_DATASET_NAME,
	OPERAND_DATASET_DIGEST,
	OPERAND_DATASET_CONTEXT,
	OPERAND_COUNT,
};

enum statistic {
	STATISTIC_LAST,
	STATISTIC_MIN,
	STATISTIC_MAX,
	STATISTIC_FIRST,
	STATISTIC_MIN_STEP,
	STATISTIC_MAX_STEP,
	STATISTIC_BEST_STEP,
	STATISTIC_COUNT,
};
static const char *const statistic_texts[] = {"",	   ".min",	".max",	     ".first",
					      ".min_step", ".max_step", ".best_step"};

enum word { EQ, NE, LT, LE, GT, GE, LIKE, ILIKE, IN, NOT_IN, IS_NULL, IS_NOT_NULL };
static const char *const words[] = {
	"=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE", "IN", "NOT IN", "IS NULL", "IS NOT NULL"};

enum shape { SHAPE_COMPARISON, SHAPE_NOT, SHAPE_AND, SHAPE_OR };

struct world_filter {
	enum shape shape;
	const struct world_filter *left, *right;
	enum operand operand;
	size_t key;
	enum statistic statistic; /* of metrics */
	enum word word;
	double number;
	const char *texts[3];
	size_t text_count;
};

uint64_t world_random(struct world *world, uint64_t below)
{
	/* splitmix64 */
	uint64_t x = (world->random += UINT64_C(0x9e3779b97f4a7c15));
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (x ^ (x >> 31)) % below;
}

/* --- runs */

static void random_metric(struct world *world, struct world_metric *metric)
{
	uint64_t luck = world_random(world, 10);
	*metric = (struct world_metric){.exists = luck >= 2, .is_nan = luck == 2};
	metric->value = luck == 3 ? (double)INFINITY : PICK(world, numbers);
	metric->min = metric->value - (double)world_random(world, 3);
	metric->max = metric->value + (double)world_random(world, 3);
}

static void random_run(struct world *world, struct world_run *run)
{
	*run = (struct world_run){
		.experiment_id = (int64_t)world_random(world, WORLD_EXPERIMENTS),
		.start_time = (int64_t)world_random(world, 20),
		.is_deleted = world_random(world, 6) == 0,
		.has_end_time = world_random(world, 3) != 0,
		.end_time = (int64_t)world_random(world, 5),
		.name = PICK(world, texts),
		.status = PICK(world, statuses),
		.user_id = PICK(world, texts),
		.artifact_uri = "mlflow-artifacts:/0",
	};
	for (size_t i = 0; i < 32; i++)
		run->run_id[i] = "0123456789abcdef"[world_random(world, 16)];
	for (size_t i = 0; i < WORLD_METRICS; i++)
		random_metric(world, &run->metrics[i]);
	for (size_t i = 0; i < WORLD_PARAMS; i++)
		run->params[i] = world_random(world, 3) == 0 ? NULL : PICK(world, texts);
	for (size_t i = 0; i < WORLD_TAGS; i++)
		run->tags[i] = world_random(world, 3) == 0 ? NULL : PICK(world, texts);
	for (size_t i = 0; i < WORLD_DATASETS; i++) {
		run->datasets[i] = (struct world_dataset){
			.exists = world_random(world, 3) == 0,
			/* Distinct for the two datasets of one run. */
			.name = i == 0 ? "taxi" : PICK(world, texts),
			.digest = PICK(world, texts),
			.context_or_null = world_random(world, 2) == 0 ? NULL : PICK(world, texts),
		};
	}
}

static int64_t name_pk(struct tracker_db *t, const char *name)
{
	struct name_pk pk;
	CHECK(t, names_intern_in_txn(t->db, slice_from_cstr(name), &pk, &t->err));
	return pk.value;
}

static struct db_statement *prepared(struct tracker_db *t, struct sql sql)
{
	struct db_statement *st = db_prepare(t->db, sql, &t->err);
	tracker_db_check(t, st != NULL, sql.text);
	return st;
}

static void insert_run(struct tracker_db *t, const struct world_run *run)
{
	struct db_statement *st =
		prepared(t, SQL("INSERT INTO runs (run_pk, run_id, experiment_id, name, user_id, "
				"status, start_time_ms,"
				" end_time_ms, artifact_uri, is_deleted) VALUES ($1, $2, $3, $4, "
				"$5, $6, $7, $8, $9, $10)"));
	db_bind_i64(st, 1, run->pk);
	db_bind_text(st, 2, slice_from_cstr(run->run_id));
	db_bind_i64(st, 3, run->experiment_id);
	db_bind_text(st, 4, slice_from_cstr(run->name));
	db_bind_text(st, 5, slice_from_cstr(run->user_id));
	db_bind_text(st, 6, slice_from_cstr(run->status));
	db_bind_i64(st, 7, run->start_time);
	if (run->has_end_time)
		db_bind_i64(st, 8, run->end_time);
	db_bind_text(st, 9, slice_from_cstr(run->artifact_uri));
	db_bind_i64(st, 10, run->is_deleted);
	CHECK(t, db_run(st, &t->err));
}

/* The greatest value, the least, the greatest again and the latest, as points of four steps. */
static void insert_metric(struct tracker_db *t, const struct world_run *run, size_t index)
{
	const struct world_metric *metric = &run->metrics[index];
	struct slice name = slice_from_cstr(world_metric_names[index]);
	const struct metric_point points[] = {
		{.name = name, .value = metric->max, .timestamp_ms = 14, .step = 0},
		{.name = name, .value = metric->min, .timestamp_ms = 11, .step = 1},
		{.name = name, .value = metric->max, .timestamp_ms = 12, .step = 2},
		{.name = name,
		 .value = metric->is_nan ? (double)NAN : metric->value,
		 .timestamp_ms = 13,
		 .step = 3},
	};
	if (!metric->exists)
		return;
	size_t skipped = metric->is_nan ? 3 : 0;
	CHECK(t, metrics_append_in_txn(t->db, (struct run_pk){run->pk}, run->experiment_id,
				       points + skipped, ARRAY_COUNT(points) - skipped, &t->arena,
				       &t->err));
}

static void insert_key_value(struct tracker_db *t, struct sql sql, const struct world_run *run,
			     const char *name, const char *value_or_null)
{
	if (value_or_null == NULL)
		return;
	int64_t pk = name_pk(t, name);
	struct db_statement *st = prepared(t, sql);
	db_bind_i64(st, 1, run->pk);
	db_bind_i64(st, 2, pk);
	db_bind_text(st, 3, slice_from_cstr(value_or_null));
	CHECK(t, db_run(st, &t->err));
}

static int64_t dataset_pk(struct tracker_db *t, const struct world_run *run,
			  const struct world_dataset *dataset)
{
	struct db_statement *st = prepared(
		t, SQL("INSERT INTO datasets (experiment_id, name, digest, source_type, source)"
		       " VALUES ($1, $2, $3, 's', 's') ON CONFLICT (experiment_id, name, digest)"
		       " DO UPDATE SET source = 's' RETURNING dataset_pk"));
	bool found = false;
	db_bind_i64(st, 1, run->experiment_id);
	db_bind_text(st, 2, slice_from_cstr(dataset->name));
	db_bind_text(st, 3, slice_from_cstr(dataset->digest));
	CHECK(t, db_fetch_one(st, &found, &t->err));
	int64_t pk = db_column_i64(st, 0);
	db_reset(st);
	return pk;
}

static void insert_dataset(struct tracker_db *t, const struct world_run *run,
			   const struct world_dataset *dataset)
{
	if (!dataset->exists)
		return;
	int64_t pk = dataset_pk(t, run, dataset);
	struct db_statement *st =
		prepared(t, SQL("INSERT INTO run_datasets (run_pk, dataset_pk) VALUES ($1, $2)"));
	db_bind_i64(st, 1, run->pk);
	db_bind_i64(st, 2, pk);
	CHECK(t, db_run(st, &t->err));
	if (dataset->context_or_null == NULL)
		return;
	st = prepared(t, SQL("INSERT INTO run_dataset_tags (run_pk, dataset_pk, key, value)"
			     " VALUES ($1, $2, 'mlflow.data.context', $3)"));
	db_bind_i64(st, 1, run->pk);
	db_bind_i64(st, 2, pk);
	db_bind_text(st, 3, slice_from_cstr(dataset->context_or_null));
	CHECK(t, db_run(st, &t->err));
}

void world_fill(struct world *world, struct tracker_db *t)
{
	const char *seed_or_null = getenv("TRACKERD_TEST_SEED");
	uint64_t seed = (uint64_t)time(NULL);
	if (seed_or_null != NULL)
		seed = strtoull(seed_or_null, NULL, 10);
	print_message("TRACKERD_TEST_SEED=%llu\n", (unsigned long long)seed);
	world->random = seed;
	CHECK(t, db_exec(t->db,
			 SQL("INSERT INTO experiments (experiment_id, name, artifact_location, "
			     "creation_time_ms,"
			     " last_update_time_ms) VALUES (1, 'one', 'x', 1, 1), (2, 'two', 'x', "
			     "1, 1)"),
			 &t->err));
	for (size_t i = 0; i < WORLD_RUNS; i++) {
		struct world_run *run = &world->runs[i];
		random_run(world, run);
		run->pk = (int64_t)i + 1;
		insert_run(t, run);
		for (size_t m = 0; m < WORLD_METRICS; m++)
			insert_metric(t, run, m);
		for (size_t p = 0; p < WORLD_PARAMS; p++)
			insert_key_value(t,
					 SQL("INSERT INTO params (run_pk, name_pk, value) VALUES "
					     "($1, $2, $3)"),
					 run, world_param_names[p], run->params[p]);
		for (size_t p = 0; p < WORLD_TAGS; p++)
			insert_key_value(t,
					 SQL("INSERT INTO run_tags (run_pk, name_pk, value) VALUES "
					     "($1, $2, $3)"),
					 run, world_tag_names[p], run->tags[p]);
		for (size_t d = 0; d < WORLD_DATASETS; d++)
			insert_dataset(t, run, &run->datasets[d]);
	}
}

/* --- filters */

static bool is_number(enum operand operand)
{
	return operand == OPERAND_METRIC || operand == OPERAND_START || operand == OPERAND_END;
}

static bool is_dataset(enum operand operand)
{
	return operand >= OPERAND_DATASET_NAME;
}

static enum word random_word(struct world *world, enum operand operand)
{
	bool can_be_null = operand <= OPERAND_TAG || operand == OPERAND_END;
	if (can_be_null && world_random(world, 6) == 0)
		return world_random(world, 2) == 0 ? IS_NULL : IS_NOT_NULL;
	if (is_number(operand))
		return (enum word)world_random(world, GE + 1);
	if ((operand == OPERAND_RUN_ID || is_dataset(operand)) && world_random(world, 3) == 0)
		return world_random(world, 2) == 0 ? IN : NOT_IN;
	static const enum word of_texts[] = {EQ, NE, LIKE, ILIKE};
	return PICK(world, of_texts);
}

static const char *random_text(struct world *world, enum operand operand, enum word word)
{
	if (operand == OPERAND_RUN_ID && world_random(world, 2) == 0)
		return world->runs[world_random(world, WORLD_RUNS)].run_id;
	if (operand == OPERAND_STATUS && world_random(world, 2) == 0)
		return PICK(world, statuses);
	if (operand == OPERAND_DATASET_NAME && world_random(world, 2) == 0)
		return "taxi";
	return word == LIKE || word == ILIKE ? PICK(world, patterns) : PICK(world, texts);
}

static struct world_filter *random_comparison(struct world *world, struct arena *arena)
{
	struct world_filter *filter = ARENA_NEW(arena, struct world_filter, 1);
	filter->operand = (enum operand)world_random(world, OPERAND_COUNT);
	if (filter->operand == OPERAND_METRIC)
		filter->key = world_random(world, WORLD_METRICS);
	else
		filter->key = world_random(world, WORLD_TAGS);
	filter->word = random_word(world, filter->operand);
	if (filter->operand == OPERAND_METRIC && filter->word != IS_NULL &&
	    filter->word != IS_NOT_NULL && world_random(world, 2) == 0)
		filter->statistic = (enum statistic)world_random(world, STATISTIC_COUNT);
	filter->number = filter->operand == OPERAND_METRIC ? PICK(world, numbers)
							   : (double)world_random(world, 10);
	filter->text_count =
		filter->word == IN || filter->word == NOT_IN ? 1 + world_random(world, 3) : 1;
	for (size_t i = 0; i < filter->text_count; i++)
		filter->texts[i] = random_text(world, filter->operand, filter->word);
	return filter;
}

static struct slice joined(struct arena *arena, const char *a, struct slice b, const char *c)
{
	return arena_concat(arena, slice_from_cstr(a), arena_concat(arena, b, slice_from_cstr(c)));
}

static const char *quoted(struct world *world, struct arena *arena, const char *text)
{
	const char *quote = strchr(text, '\'') != NULL || world_random(world, 2) == 0 ? "\"" : "'";
	return arena_cstr(arena, joined(arena, quote, slice_from_cstr(text), quote));
}

static const char *keyed(struct world *world, struct arena *arena, const char *entity,
			 const char *key)
{
	const char *quote = strchr(key, '`') != NULL ? "\"" : "`";
	bool needs_none = strpbrk(key, " \"`") == NULL;
	if (needs_none && world_random(world, 2) == 0)
		quote = "";
	return arena_cstr(arena, arena_printf(arena, "%s.%s%s%s", entity, quote, key, quote));
}

static const char *metric_text(struct world *world, struct arena *arena, const char *entity,
			       const struct world_filter *filter)
{
	return arena_cstr(arena,
			  arena_printf(arena, "%s%s",
				       keyed(world, arena, entity, world_metric_names[filter->key]),
				       statistic_texts[filter->statistic]));
}

static const char *operand_text(struct world *world, struct arena *arena,
				const struct world_filter *filter)
{
	static const char *const metrics[] = {"metric", "metrics"};
	static const char *const params[] = {"param", "params", "parameter", "parameters"};
	static const char *const tags[] = {"tag", "tags"};
	static const char *const names[] = {"run_name", "attributes.`run name`", "run.run_name"};
	static const char *const starts[] = {"start_time", "attr.Created", "attribute.start_time"};
	switch (filter->operand) {
	case OPERAND_METRIC:
		return metric_text(world, arena, PICK(world, metrics), filter);
	case OPERAND_PARAM:
		return keyed(world, arena, PICK(world, params), world_param_names[filter->key]);
	case OPERAND_TAG:
		return keyed(world, arena, PICK(world, tags), world_tag_names[filter->key]);
	case OPERAND_STATUS:
		return "status";
	case OPERAND_NAME:
		return PICK(world, names);
	case OPERAND_RUN_ID:
		return "run_id";
	case OPERAND_START:
		return PICK(world, starts);
	case OPERAND_END:
		return "end_time";
	case OPERAND_DATASET_NAME:
		return "dataset.name";
	case OPERAND_DATASET_DIGEST:
		return "datasets.digest";
	case OPERAND_DATASET_CONTEXT:
	case OPERAND_COUNT:
	default:
		return "datasets.context";
	}
}

static struct slice comparison_text(struct world *world, struct arena *arena,
				    const struct world_filter *filter)
{
	const char *operand = operand_text(world, arena, filter);
	const char *word = words[filter->word];
	if (filter->word == IS_NULL || filter->word == IS_NOT_NULL)
		return arena_printf(arena, "%s %s", operand, word);
	if (is_number(filter->operand))
		return arena_printf(arena, "%s%s %.17g", operand, word, filter->number);
	if (filter->word != IN && filter->word != NOT_IN)
		return arena_printf(arena, "%s %s %s", operand, word,
				    quoted(world, arena, filter->texts[0]));
	struct slice list = {"", 0};
	for (size_t i = 0; i < filter->text_count; i++)
		list = arena_concat(arena, list,
				    arena_printf(arena, "%s%s", i == 0 ? "" : ", ",
						 quoted(world, arena, filter->texts[i])));
	return arena_printf(arena, "%s %s (%.*s)", operand, word, SLICE_FMT(list));
}

const struct world_filter *world_filter_random(struct world *world, unsigned depth,
					       struct arena *arena, struct slice *text_out)
{
	uint64_t luck = depth == 0 ? 0 : world_random(world, 5);
	if (luck <= 1) {
		const struct world_filter *filter = random_comparison(world, arena);
		*text_out = comparison_text(world, arena, filter);
		return filter;
	}
	struct world_filter *filter = ARENA_NEW(arena, struct world_filter, 1);
	struct slice left, right;
	filter->left = world_filter_random(world, depth - 1, arena, &left);
	if (luck == 2) {
		filter->shape = SHAPE_NOT;
		*text_out = joined(arena, "NOT (", left, ")");
		return filter;
	}
	filter->right = world_filter_random(world, depth - 1, arena, &right);
	filter->shape = luck == 3 ? SHAPE_AND : SHAPE_OR;
	*text_out = arena_concat(arena, joined(arena, "(", left, luck == 3 ? ") AND (" : ") or ("),
				 joined(arena, "", right, ")"));
	return filter;
}

/* --- what filters mean */

static size_t character_bytes(const char *text)
{
	size_t bytes = 1;
	while (((unsigned char)text[bytes] & 0xc0) == 0x80)
		bytes++;
	return bytes;
}

static bool like(const char *pattern, const char *text, bool ignores_case)
{
	if (*pattern == '\0')
		return *text == '\0';
	if (*pattern == '%')
		return like(pattern + 1, text, ignores_case) ||
		       (*text != '\0' && like(pattern, text + character_bytes(text), ignores_case));
	if (*text == '\0')
		return false;
	if (*pattern == '_')
		return like(pattern + 1, text + character_bytes(text), ignores_case);
	bool same = ignores_case ? strncasecmp(pattern, text, 1) == 0 : *pattern == *text;
	return same && like(pattern + 1, text + 1, ignores_case);
}

static bool compare_numbers(enum word word, double a, double b)
{
	switch (word) {
	case EQ:
		return a == b;
	case NE:
		return a != b;
	case LT:
		return a < b;
	case LE:
		return a <= b;
	case GT:
		return a > b;
	case GE:
	case LIKE:
	case ILIKE:
	case IN:
	case NOT_IN:
	case IS_NULL:
	case IS_NOT_NULL:
	default:
		return a >= b;
	}
}

static bool compare_texts(const struct world_filter *filter, const char *text)
{
	bool is_in = false;
	for (size_t i = 0; i < filter->text_count; i++)
		is_in = is_in || strcmp(filter->texts[i], text) == 0;
	switch (filter->word) {
	case EQ:
	case IN:
		return is_in;
	case NE:
	case NOT_IN:
		return !is_in;
	case LIKE:
		return like(filter->texts[0], text, false);
	case ILIKE:
	case LT:
	case LE:
	case GT:
	case GE:
	case IS_NULL:
	case IS_NOT_NULL:
	default:
		return like(filter->texts[0], text, true);
	}
}

static bool matches_number(const struct world_filter *filter, bool exists, bool is_nan,
			   double value)
{
	if (filter->word == IS_NULL || filter->word == IS_NOT_NULL)
		return exists == (filter->word == IS_NOT_NULL);
	return exists && !is_nan && compare_numbers(filter->word, value, filter->number);
}

static bool matches_text(const struct world_filter *filter, const char *text_or_null)
{
	if (filter->word == IS_NULL || filter->word == IS_NOT_NULL)
		return (text_or_null != NULL) == (filter->word == IS_NOT_NULL);
	return text_or_null != NULL && compare_texts(filter, text_or_null);
}

static bool matches_dataset(const struct world_filter *filter, const struct world_run *run)
{
	for (size_t i = 0; i < WORLD_DATASETS; i++) {
		const struct world_dataset *dataset = &run->datasets[i];
		const char *text_or_null = filter->operand == OPERAND_DATASET_NAME ? dataset->name
					   : filter->operand == OPERAND_DATASET_DIGEST
						   ? dataset->digest
						   : dataset->context_or_null;
		if (dataset->exists && text_or_null != NULL && compare_texts(filter, text_or_null))
			return true;
	}
	return false;
}

/* See insert_metric. */
static double statistic_of(const struct world_metric *metric, enum statistic statistic)
{
	switch (statistic) {
	case STATISTIC_MIN:
		return metric->min;
	case STATISTIC_MAX:
	case STATISTIC_FIRST:
		return metric->max;
	case STATISTIC_MIN_STEP:
	case STATISTIC_BEST_STEP:
		return metric->min < metric->max;
	case STATISTIC_MAX_STEP:
		return 0;
	case STATISTIC_LAST:
	case STATISTIC_COUNT:
	default:
		return metric->value;
	}
}

static bool matches_comparison(const struct world_filter *filter, const struct world_run *run)
{
	const struct world_metric *metric = &run->metrics[filter->key];
	switch (filter->operand) {
	case OPERAND_METRIC:
		return matches_number(filter, metric->exists, metric->is_nan,
				      statistic_of(metric, filter->statistic));
	case OPERAND_PARAM:
		return matches_text(filter, run->params[filter->key]);
	case OPERAND_TAG:
		return matches_text(filter, run->tags[filter->key]);
	case OPERAND_STATUS:
		return matches_text(filter, run->status);
	case OPERAND_NAME:
		return matches_text(filter, run->name);
	case OPERAND_RUN_ID:
		return matches_text(filter, run->run_id);
	case OPERAND_START:
		return matches_number(filter, true, false, (double)run->start_time);
	case OPERAND_END:
		return matches_number(filter, run->has_end_time, false, (double)run->end_time);
	case OPERAND_DATASET_NAME:
	case OPERAND_DATASET_DIGEST:
	case OPERAND_DATASET_CONTEXT:
	case OPERAND_COUNT:
	default:
		return matches_dataset(filter, run);
	}
}

bool world_filter_matches(const struct world_filter *filter, const struct world_run *run)
{
	switch (filter->shape) {
	case SHAPE_NOT:
		return !world_filter_matches(filter->left, run);
	case SHAPE_AND:
		return world_filter_matches(filter->left, run) &&
		       world_filter_matches(filter->right, run);
	case SHAPE_OR:
		return world_filter_matches(filter->left, run) ||
		       world_filter_matches(filter->right, run);
	case SHAPE_COMPARISON:
	default:
		return matches_comparison(filter, run);
	}
}
