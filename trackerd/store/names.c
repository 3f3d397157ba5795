/* Owns the table of interned names. */
#include "store/names.h"

bool names_intern_in_txn(struct db *db, struct slice name, struct name_pk *out, struct error *err)
{
	/* Most names are known: looking first costs no write. */
	bool found = false;
	if (!names_find(db, name, out, &found, err))
		return false;
	if (found)
		return true;
	struct db_statement *st =
		db_prepare(db, SQL("INSERT INTO names (name) VALUES ($1) RETURNING name_pk"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

bool names_find(struct db *db, struct slice name, struct name_pk *out, bool *found_out,
		struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT name_pk FROM names WHERE name = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		out->value = db_column_i64(st, 0);
	db_reset(st);
	*found_out = found;
	return true;
}
