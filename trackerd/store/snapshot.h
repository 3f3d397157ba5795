/* Keeps what a connection reads on one state of the database for the length of a function.
 *
 * Statements of one read-only connection each see the latest commit; a function that reads rows by several
 * statements holds a snapshot around them, or a compaction between two statements would move points away
 * under it. The snapshot is an unfinished statement: db_reset_all ends it, too, so a jump out of an arena
 * guard leaves nothing behind. Inside a transaction it changes nothing. One at a time on a connection. */
#ifndef STORE_SNAPSHOT_H
#define STORE_SNAPSHOT_H

#include "db/db.h"

/* NULL with err set on failure. */
MUST_CHECK struct db_statement *snapshot_hold(struct db *db, struct error *err);
/* NULL is allowed. */
void snapshot_release(struct db_statement *snapshot_or_null);

#endif
