/* Orders: MLflow's `order_by` clauses, compiled to joins, columns and ORDER BY, and to the condition
 * "after this row" that makes the next page cost what the first one does.
 *
 *     clause = identifier [ ASC | DESC ]        identifiers as in filters (filter.h); ASC is the default
 *
 * What a thing does not have comes last in both directions; a metric that is NaN comes after the numbers
 * and before the missing ones. After the clauses come the table's ties, which end in an id, so that the
 * order is total. The same field twice is an error. Texts order by their bytes.
 *
 * A statement is put together like this; the columns come last in its select list:
 *
 *     SELECT r.run_pk<columns> FROM runs AS r<joins> WHERE …<after><order by> LIMIT $n
 *
 * Pure functions, any thread. Compiled orders live in the arena and borrow the clauses. */
#ifndef SEARCH_ORDER_BY_H
#define SEARCH_ORDER_BY_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"
#include "db/sql_builder.h"
#include "search/search_table.h"

/* SQLite joins at most 64 tables, and each clause may need one. */
enum { ORDER_CLAUSES_MAX = 32 };

struct order_term {
	const struct search_family *family;
	const struct search_field *field;
	struct slice key; /* in KEYED families */
	bool is_descending;
	const struct sql_builder *narrowing_or_null; /* of the key's rows, as in search_table.h */
};

/* A step of an order that comes as fields of a request and not as a clause. */
struct order_field {
	struct slice name; /* "metrics.rmse"; without quotes, split at the first dot */
	bool is_descending;
	const struct sql_builder *narrowing_or_null;
};

struct order_by {
	const struct search_table *table;
	struct order_term *terms;
	size_t count;
};

/* Where a row stands in an order: one key per term. */
enum order_key_kind {
	ORDER_KEY_INTEGER,
	ORDER_KEY_REAL,
	ORDER_KEY_TEXT,
	ORDER_KEY_NULL,    /* a NaN, or a column without value */
	ORDER_KEY_MISSING, /* the row does not have the key */
};
struct order_key {
	enum order_key_kind kind;
	int64_t integer;
	double real;
	struct slice text;
};

/* Fails with INVALID_PARAMETER_VALUE: "Invalid order_by clause 'x'…", "Invalid entity type…",
 * "Invalid attribute key…", or "`order_by` contains duplicate fields…". */
MUST_CHECK bool order_by_compile(const struct search_table *table, const struct slice *clauses, size_t count,
				 struct arena *arena, struct order_by *out, struct error *err);

/* The same for fields; what comes again is left out. Fails with "Invalid order by field name: x". */
MUST_CHECK bool order_by_compile_fields(const struct search_table *table, const struct order_field *fields,
					size_t count, struct arena *arena, struct order_by *out,
					struct error *err);

/* ", column" for each column of the order; order_by_keys reads them back. */
void order_by_columns_sql(const struct order_by *order, struct sql_builder *b);
/* " LEFT JOIN …" for each keyed term. */
void order_by_joins_sql(const struct order_by *order, struct sql_builder *b);
/* " AND (…)": rows that come strictly after `keys` (order->count of them, which must fit). */
void order_by_after_sql(const struct order_by *order, const struct order_key *keys, struct sql_builder *b);
/* " ORDER BY …" */
void order_by_sql(const struct order_by *order, struct sql_builder *b);

/* The keys of the row that `st` stands on, whose order columns start at `first_column`; texts are copied
 * to the arena. */
void order_by_keys(const struct order_by *order, const struct db_statement *st, int first_column,
		   struct arena *arena, struct order_key *keys_out);
/* Could these keys be of a row in this order? What a page token brings must be asked. */
bool order_by_keys_fit(const struct order_by *order, const struct order_key *keys, size_t count);

#endif
