/* Filters: the language of search boxes and MLflow's `filter` (spec/mlflow-api.md §8), compiled to SQL.
 *
 *     metrics.rmse < 5 AND (params.`learning rate` = '0.1' OR tags."team.name" LIKE 'nlp%')
 *
 *     filter      = [ or ]                                an empty or blank filter matches everything
 *     or          = and { OR and }
 *     and         = not { AND not }
 *     not         = NOT not | "(" or ")" | comparison
 *     comparison  = identifier operator value
 *     identifier  = [ entity "." ] key [ "." statistic ]  split at the first dot; quote the key with `…` or "…"
 *     statistic   = min | max | first | min_step | max_step | best_step                  of metrics only
 *     operator    = "=" | "!=" | "<" | "<=" | ">" | ">=" | LIKE | ILIKE | RLIKE | [NOT] IN | IS [NOT] NULL
 *     value       = number | '…' | "…" | "(" list of quoted texts ")"          nothing after IS [NOT] NULL
 *
 * Key words in any case. Quoted texts have no escapes. OR, NOT, parentheses, and IS NULL of metrics and
 * end_time are more than MLflow takes; what it takes means the same here. Every comparison is true or
 * false, never unknown: a comparison of a missing key is false (also with !=), so NOT of it is true.
 * Metrics compare by their latest value; NaN never matches.
 *
 * A statistic takes another number of the whole curve instead of its latest value: the least and the greatest value,
 * the one at the least step, and the steps at which the extremes were reached first. best_step is min_step: runs/best,
 * too, takes the least value for the best one unless told otherwise. The rule for keys that end in such a word is the
 * text's alone and does not look at what was logged: without quotes a last part .min is the statistic, quotes
 * around all of it make it part of the key.
 *
 *     metrics.loss.min            the least value of loss
 *     metrics.`val loss`.min      the least value of "val loss"
 *     metrics.`loss.min`          the latest value of "loss.min"
 *     metrics.`loss.min`.max      the greatest value of "loss.min"
 *
 * Bounds: FILTER_BYTES_MAX, FILTER_NESTING_MAX and FILTER_COMPARISONS_MAX of limits.h. Errors are
 * INVALID_PARAMETER_VALUE, in MLflow's words and ending with " at position N": N characters (code points)
 * of the filter come before the place that is wrong.
 *
 * Pure functions: no state, any thread. The tree lives in the arena and borrows the filter's text. */
#ifndef SEARCH_FILTER_H
#define SEARCH_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/sql_builder.h"
#include "search/search_table.h"

enum filter_value_kind {
	FILTER_VALUE_NONE,   /* of IS NULL, IS NOT NULL */
	FILTER_VALUE_NUMBER, /* finite */
	FILTER_VALUE_TEXT,
	FILTER_VALUE_LIST, /* of texts, at least one */
	FILTER_VALUE_WORD, /* something without quotes: always an error, worded once the field is known */
};

struct filter_value {
	enum filter_value_kind kind;
	size_t offset;       /* bytes of the filter before it */
	struct slice source; /* as written, with quotes */
	bool is_integer;     /* NUMBER: it is `integer`, exactly; else `real` */
	int64_t integer;
	double real;
	struct slice text; /* without quotes */
	struct slice *items;
	size_t item_count;
};

/* An identifier as written. */
struct filter_name {
	struct slice entity;    /* absent for a bare key */
	struct slice key;       /* without its quotes */
	struct slice statistic; /* behind a quoted key; absent without one */
	bool is_key_quoted;
};

struct filter_comparison {
	size_t offset; /* bytes of the filter before the identifier */
	struct filter_name name;
	size_t operator_offset;
	struct slice operator_source;
	bool is_operator_known;
	enum search_operator op;
	struct filter_value value;
	/* Once resolved: */
	const struct search_family *family;
	const struct search_field *field;
	struct slice key; /* in KEYED families: the name without a statistic */
};

enum filter_kind { FILTER_AND, FILTER_OR, FILTER_NOT, FILTER_COMPARISON };

/* AND and OR have two or more children, NOT has one. */
struct filter_node {
	enum filter_kind kind;
	struct filter_node *first_child_or_null;
	struct filter_node *next_sibling_or_null;
	struct filter_comparison comparison;
};

struct filter {
	const struct search_table *table;
	struct filter_node *root_or_null; /* NULL matches everything */
};

/* Parses and resolves; `text` may be absent. On success every SQL statement made from *out is one that
 * the table's authors meant; on failure err is set and *out untouched. */
MUST_CHECK bool filter_compile(const struct search_table *table, struct slice text, struct arena *arena,
			       struct filter *out, struct error *err);

/* Appends " AND (…)" to a WHERE clause that has conditions already; nothing for an empty filter. */
void filter_and_sql(const struct filter *filter, struct sql_builder *b);

/* Does any comparison name this key, or any of the family when it is NULL? `family` is the first of its names. For
 * rules such as "prompts are hidden unless the filter speaks of them". */
bool filter_mentions(const struct filter *filter, const char *family, const char *key_or_null);

#endif
