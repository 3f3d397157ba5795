/* Owns the reading of texts, tags, aliases and numbers out of rows; lists grow by doubling. */
#include "store/model_rows.h"

bool model_rows_text(struct db_statement *st, struct arena *arena, struct slice *out,
		     struct error *err)
{
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_copy(st, 0, arena) : (struct slice){0};
	db_reset(st);
	return true;
}

bool model_rows_tags(struct db_statement *st, struct arena *arena, struct key_value_list *out,
		     struct error *err)
{
	struct key_value_list list = {NULL, 0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = (struct key_value){db_column_copy(st, 0, arena),
							      db_column_copy(st, 1, arena)};
	}
	*out = list;
	return row == DB_DONE;
}

bool model_rows_versions(struct db_statement *st, struct arena *arena, struct version_list *out,
			 struct error *err)
{
	struct version_list list = {NULL, 0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = db_column_i64(st, 0);
	}
	*out = list;
	return row == DB_DONE;
}

bool model_rows_aliases(struct db_statement *st, struct arena *arena, struct model_alias_list *out,
			struct error *err)
{
	struct model_alias_list list = {NULL, 0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] =
			(struct model_alias){db_column_copy(st, 0, arena), db_column_i64(st, 1)};
	}
	*out = list;
	return row == DB_DONE;
}
