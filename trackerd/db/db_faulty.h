/* Fault injection for tests: makes the n-th driver call fail as a full or broken disk would.
 *
 * Set on a connection, it counts every step, every prepare of text that is not cached, every statement of
 * a script and every checkpoint, but not ROLLBACK, which works on a broken disk too. Call number
 * `countdown` and all later ones fail with `code` until it is set again. Loop over countdown until a
 * scenario passes untouched. */
#ifndef DB_DB_FAULTY_H
#define DB_DB_FAULTY_H

#include "db/db.h"

/* countdown 0 switches faults off. One thread: the connection's. */
void db_faulty_set(struct db *db, unsigned countdown, enum error_code code);
/* Did the fault fire since it was set? */
bool db_faulty_fired(const struct db *db);

#endif
