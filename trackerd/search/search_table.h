/* Search tables: what may be asked of one kind of thing (runs, experiments, models, …), as data.
 *
 * A filter such as   metrics.rmse < 5 AND start_time > 0   names fields. A field belongs to a family, the
 * word before the first dot; a bare key belongs to the first family, the attributes. There are three
 * kinds of family:
 *
 *   ATTRIBUTES  columns of the row itself; `fields` lists them. Must be the first family. A field with
 *               `linked_from` is like those of LINKED. A name may stand twice: for what is compared, without
 *               is_orderable and behind the one that is ordered by, without operators.
 *   KEYED       any key is a field: rows (owner, key, value) of another table. `fields` has one row,
 *               without a name, whose column is the bare column that holds the value ("value"); or more, each
 *               with operators of its own, where the operator tells which column is meant. A key may then have
 *               several rows, if no field is orderable: a comparison holds if it holds for any.
 *               `statistics` are other columns of the same row, asked for as key.name (filter.h).
 *   LINKED      `fields` lists them; each says in `linked_from` which rows hang on ours. A comparison
 *               holds if it holds for any of those rows. Cannot be ordered by.
 *
 * All SQL text comes from these tables as literals, all user text is bound (architecture §7), so that a
 * table is the only thing that a new kind of entity needs:
 *
 *   static const struct search_field attributes[] = {
 *       {.name = "name", .type = SEARCH_TEXT, .operators = SEARCH_TEXT_OPERATORS,
 *        .is_orderable = true, .column = SQL_LITERAL("m.name")},
 *   };
 *   static const struct search_family families[] = {
 *       {.names = {"attribute", "attributes", "attr"}, .kind = FAMILY_ATTRIBUTES,
 *        .fields = attributes, .field_count = ARRAY_COUNT(attributes)},
 *       {.names = {"tag", "tags"}, .kind = FAMILY_KEYED, .fields = tag_value, .field_count = 1,
 *        .table = SQL_LITERAL("registered_model_tags"), .key_column = SQL_LITERAL("key")},
 *   };
 *   const struct search_table model_search_table = {.name = "models", .alias = SQL_LITERAL("m"), …};
 *
 * and a statement in store/ that selects FROM its table AS that alias. A table must end its orders with
 * something unique (an id), because pages continue after a row by its place in the order. Static,
 * immutable, thread-safe. */
#ifndef SEARCH_SEARCH_TABLE_H
#define SEARCH_SEARCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/slice.h"
#include "db/db.h"

/* SQL() as a constant, for the rows of static tables. */
#define SQL_LITERAL(literal) {"" literal ""}

enum search_operator {
	SEARCH_EQ,
	SEARCH_NE,
	SEARCH_LT,
	SEARCH_LE,
	SEARCH_GT,
	SEARCH_GE,
	SEARCH_LIKE,  /* the case of letters counts; % any text, _ any character */
	SEARCH_ILIKE, /* likewise, ignoring case */
	SEARCH_RLIKE, /* a regular expression (db/regex.h) that is found anywhere */
	SEARCH_IN,
	SEARCH_NOT_IN,
	SEARCH_IS_NULL, /* the key, or the value of a nullable column, is not there */
	SEARCH_IS_NOT_NULL,
};
enum { SEARCH_OPERATOR_COUNT = SEARCH_IS_NOT_NULL + 1 };

/* As written in filters: "=", "NOT IN". Static text. */
const char *search_operator_text(enum search_operator op);

/* Sets of operators, for `operators` of a field. */
#define SEARCH_BIT(op) (1U << (op))
#define SEARCH_TEXT_OPERATORS \
	(SEARCH_BIT(SEARCH_EQ) | SEARCH_BIT(SEARCH_NE) | SEARCH_BIT(SEARCH_LIKE) | SEARCH_BIT(SEARCH_ILIKE))
#define SEARCH_LIST_OPERATORS (SEARCH_BIT(SEARCH_IN) | SEARCH_BIT(SEARCH_NOT_IN))
#define SEARCH_NULL_OPERATORS (SEARCH_BIT(SEARCH_IS_NULL) | SEARCH_BIT(SEARCH_IS_NOT_NULL))
#define SEARCH_NUMBER_OPERATORS                                                                      \
	(SEARCH_BIT(SEARCH_EQ) | SEARCH_BIT(SEARCH_NE) | SEARCH_BIT(SEARCH_LT) | SEARCH_BIT(SEARCH_LE) | \
	 SEARCH_BIT(SEARCH_GT) | SEARCH_BIT(SEARCH_GE))

enum search_type {
	SEARCH_TEXT,
	SEARCH_INTEGER, /* an int64 column; compared with any number */
	SEARCH_REAL,    /* a double column, where NULL is NaN: never matches, sorts after all numbers */
};

struct search_field {
	const char *name;       /* as in filters; NULL in the fields of a KEYED family */
	const char *aliases[4]; /* other spellings, ended by NULL */
	enum search_type type;
	unsigned operators; /* set of SEARCH_BIT; 0 = can be ordered by only */
	bool is_nullable;   /* ATTRIBUTES: NULL never matches and sorts last. KEYED REAL: NULL is NaN */
	bool is_orderable;
	struct sql column; /* "r.run_id", "d.name"; KEYED: the bare column, "value" */
	/* LINKED, or NULL: the linked rows, up to where a condition follows:
	 * "SELECT 1 FROM run_datasets AS l WHERE l.run_pk = r.run_pk AND ". */
	struct sql linked_from;
};

enum search_family_kind { FAMILY_ATTRIBUTES, FAMILY_KEYED, FAMILY_LINKED };

/* A key that counts as having `value` where a thing does not have the key. */
struct search_default {
	const char *key, *value;
};

struct search_family {
	const char *names[6]; /* ended by NULL; the first one is used in messages */
	enum search_family_kind kind;
	const struct search_field *fields;
	size_t field_count;
	/* KEYED only. */
	const struct search_field *statistics_or_null; /* with names */
	size_t statistic_count;
	struct sql table;      /* "params" */
	struct sql key_column; /* "name_pk" with key_is_interned (text in table names), else "key" */
	bool key_is_interned;
	const struct search_default *defaults_or_null; /* ended by key NULL */
	/* A key may have several rows: a comparison holds if it holds for any of them, an order takes one, the first
	 * by `row_order`, such as " ORDER BY step DESC". Rows are told apart by row_column; text NULL: one row. */
	struct sql row_column;
	struct sql row_order;
	/* Rows that comparisons look at, with bare columns, such as " AND (dataset_name = $1)"; NULL: all. For copies
	 * of a table that are made for one search. */
	const struct sql_builder *narrowing_or_null;
};

/* One step of an order, by a name among the attributes. */
struct search_order {
	const char *attribute;
	bool is_descending;
};
enum { SEARCH_ORDERS_MAX = 4 };

struct search_table {
	const char *name; /* "runs": a page token of one table is foreign to another */
	const struct search_family *families;
	size_t family_count;
	struct sql alias;            /* of the searched row in statements, "r" */
	struct sql owner_columns[2]; /* what KEYED tables name their owner by: {"run_pk"}; text NULL ends */
	struct search_order default_order[SEARCH_ORDERS_MAX]; /* when nothing is asked; attribute NULL ends */
	struct search_order ties[SEARCH_ORDERS_MAX];          /* after what is asked; likewise */
};

/* The family called so, or NULL. The case of letters counts. */
const struct search_family *search_table_family(const struct search_table *table, struct slice name);
/* The field called so (an alias counts; the first one in a KEYED family), or NULL. */
const struct search_field *search_family_field(const struct search_family *family, struct slice name);
/* The statistic of a KEYED family that is called so, or NULL. */
const struct search_field *search_family_statistic(const struct search_family *family, struct slice name);
/* What a thing without `key` counts as having, or an absent slice. */
struct slice search_family_default(const struct search_family *family, struct slice key);

#endif
