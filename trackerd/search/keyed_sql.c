/* Writes the SQL that finds the row of a key. */
#include "search/keyed_sql.h"

void sql_alias(struct sql_builder *b, const struct sql_alias *alias)
{
	sql_text(b, alias->letter);
	if (alias->has_number)
		sql_number(b, alias->number);
}

void keyed_table_sql(const struct search_family *family, const struct sql_alias *alias,
		     struct sql_builder *b)
{
	sql_text(b, family->table);
	sql_text(b, SQL(" AS "));
	sql_alias(b, alias);
}

void keyed_match_sql(const struct search_table *table, const struct search_family *family,
		     struct slice key, const struct sql_alias *alias, struct sql_builder *b)
{
	for (size_t i = 0; i < ARRAY_COUNT(table->owner_columns); i++) {
		if (table->owner_columns[i].text == NULL)
			break;
		keyed_column_sql(table->owner_columns[i], alias, b);
		sql_text(b, SQL(" = "));
		sql_text(b, table->alias);
		sql_text(b, SQL("."));
		sql_text(b, table->owner_columns[i]);
		sql_text(b, SQL(" AND "));
	}
	keyed_column_sql(family->key_column, alias, b);
	if (family->key_is_interned) {
		sql_text(b, SQL(" = (SELECT name_pk FROM names WHERE name = "));
		sql_value_text(b, key);
		sql_text(b, SQL(")"));
	} else {
		sql_text(b, SQL(" = "));
		sql_value_text(b, key);
	}
}

void keyed_column_sql(struct sql column, const struct sql_alias *alias, struct sql_builder *b)
{
	sql_alias(b, alias);
	sql_text(b, SQL("."));
	sql_text(b, column);
}
