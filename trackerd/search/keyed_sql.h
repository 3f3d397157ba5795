/* SQL that filters and orders of keyed families share. Private to search/. */
#ifndef SEARCH_KEYED_SQL_H
#define SEARCH_KEYED_SQL_H

#include "db/sql_builder.h"
#include "search/search_table.h"

/* An alias of ours: a literal letter and, for orders, a number. */
struct sql_alias {
	struct sql letter;
	bool has_number;
	unsigned number;
};

void sql_alias(struct sql_builder *b, const struct sql_alias *alias);
/* "table AS k" */
void keyed_table_sql(const struct search_family *family, const struct sql_alias *alias,
		     struct sql_builder *b);
/* "k.run_pk = r.run_pk AND k.name_pk = (SELECT name_pk FROM names WHERE name = $1)": the one row of `key` that
 * belongs to the searched row. The name is looked up once a statement, not once a row. */
void keyed_match_sql(const struct search_table *table, const struct search_family *family,
		     struct slice key, const struct sql_alias *alias, struct sql_builder *b);
/* "k.value" */
void keyed_column_sql(struct sql column, const struct sql_alias *alias, struct sql_builder *b);

#endif
