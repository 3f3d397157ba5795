/* What the two halves of the SQLite driver share: db_sqlite_open.c opens connections, db_sqlite.c runs
 * statements on them. For these, db_faulty.c and their tests only. */
#ifndef DB_DB_SQLITE_INTERNAL_H
#define DB_DB_SQLITE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "db/db.h"

struct sqlite3;
struct sqlite3_stmt;

struct db_statement {
	struct db *db;
	struct sqlite3_stmt *handle;
	const char *text;            /* the literal; NULL for a built statement */
	struct db_statement *next_or_null; /* in the list of built statements */
	bool is_in_order;            /* parameter $n has index n */
	bool has_stepped;            /* since its last reset */
	int bind_rc;                 /* the first bind that failed, told by the next step */
};

struct db_fault {
	unsigned countdown; /* 0 = off; 1 = the next call fails */
	enum error_code code;
	bool fired;
};

struct db {
	struct sqlite3 *handle;
	enum db_mode mode;
	struct db_statement **cache; /* open addressing by the literal's address */
	size_t cache_count;
	size_t cache_capacity; /* a power of two */
	struct db_statement *built_or_null;
	int64_t deadline_ns; /* monotonic; 0 = none */
	int64_t wal_pages;
	struct db_fault fault;
};

/* Puts into *err what `rc` (an extended result code) means for a caller; details go to the log. Returns
 * false. `what` is an event name such as "db_step_failed". */
bool db_error(struct db *db, int rc, const char *what, struct error *err);
/* Frees the cache and all statements; the connection can then be closed. */
void db_statements_free(struct db *db);
/* Has the deadline passed? */
bool db_is_late(const struct db *db);

#endif
