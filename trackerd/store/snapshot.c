/* Owns the statement that holds a snapshot. */
#include "store/snapshot.h"

struct db_statement *snapshot_hold(struct db *db, struct error *err)
{
	/* Reads a page of a table, has a row whatever is in it, and is not done after it. */
	struct db_statement *st = db_prepare(
		db, SQL("SELECT count(*) FROM (SELECT 1 FROM names LIMIT 1) AS one"), err);
	if (st == NULL || db_step(st, err) != DB_ROW)
		return NULL;
	return st;
}

void snapshot_release(struct db_statement *snapshot_or_null)
{
	db_reset(snapshot_or_null);
}
