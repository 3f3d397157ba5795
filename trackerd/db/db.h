/* The seam under the store: one thin SQL driver interface.
 *
 * A `struct db` is one connection, used by one thread at a time. SQLite is the driver today (db_sqlite.c,
 * the only file that includes sqlite3.h); tests wrap any driver in db_faulty.h, which fails the n-th call.
 * Keep SQL to what SQLite and PostgreSQL share: $1, $2 … in order of use, ON CONFLICT … DO UPDATE … WHERE,
 * RETURNING, row values, common table expressions; no last_insert_rowid, no database clock.
 *
 * Statements. SQL text is a literal: SQL("…") of a char pointer does not compile; values enter only by
 * bind; "$n" is bound by its name, wherever it stands. db_prepare keeps statements in a cache of the
 * connection, keyed by the literal's address, and returns them reset and with all parameters NULL. A
 * statement that has stepped is used to its end or db_reset before it is prepared again; using one literal
 * at two nesting levels at once is a mistake that asserts. Dynamic text comes from sql_builder.h only,
 * through db_prepare_built. More than one statement in a text asserts.
 *
 * Errors. Classified here, in words the store can pass on: ERR_STORAGE_FULL for a full disk,
 * ERR_TEMPORARILY_UNAVAILABLE for busy or interrupted (a deadline passed), ERR_RESOURCE_ALREADY_EXISTS for a
 * UNIQUE or PRIMARY KEY violation, ERR_DATA_LOSS for a damaged file, else ERR_INTERNAL_ERROR; details go to the
 * log only. When SQLite ended the whole transaction by itself, db_in_transaction says so.
 *
 * SQL functions. like_cs(pattern, text) and ilike(pattern, text) match LIKE patterns ('%' any run, '_' one
 * code point, no escape): the first minds case, the second ignores that of ASCII letters. A pattern may have
 * 8192 bytes; a longer one fails the statement. rlike(pattern, text) searches with a regular expression
 * (db/regex.h); one that is none fails the statement. NULL gives NULL.
 *
 * A NaN that is bound becomes NULL in SQLite: store NaN by other means. */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct db;
struct db_statement;
struct sql_builder;

/* SQL text that is known to be a literal. */
struct sql {
	const char *text;
};
#define SQL(literal) ((struct sql){"" literal ""})

enum db_mode {
	DB_READ_WRITE, /* creates the file; WAL, synchronous=FULL, foreign keys on; the single writer */
	DB_READ_ONLY,  /* query_only, an authorizer that allows reading only */
};

struct db_options {
	enum db_mode mode;
	int page_bytes;        /* for a new file; 0 = 4096 */
	int64_t cache_bytes;   /* page cache of this connection; 0 = 2 MiB */
	int64_t mmap_bytes;    /* 0 = none */
	int busy_timeout_ms;   /* 0 = 5000 */
};

enum db_row { DB_ROW, DB_DONE, DB_FAILED };

/* Opens `path` (borrowed). Fails with a sentence for the operator: no such folder, not a database,
 * damaged, in use. Gives *out; close with db_close. */
MUST_CHECK bool db_open(const char *path, const struct db_options *options, struct db **out,
			struct error *err);
/* Finalises all statements; an open transaction is rolled back. NULL is allowed. */
void db_close(struct db *db_or_null);

/* Never fails for cached text that was prepared before. Borrowed from the connection's cache. NULL with
 * err set when the text does not compile (a mistake of ours or a database of another shape). */
MUST_CHECK struct db_statement *db_prepare(struct db *db, struct sql sql, struct error *err);
/* Text built at run time; not cached: the statement ends with db_reset. Binds the builder's values. */
MUST_CHECK struct db_statement *db_prepare_built(struct db *db, const struct sql_builder *built,
						 struct error *err);

/* Parameters count from 1. Bound bytes are borrowed until the statement is reset. */
void db_bind_i64(struct db_statement *st, int index, int64_t value);
void db_bind_double(struct db_statement *st, int index, double value);
/* An absent slice binds NULL. */
void db_bind_text(struct db_statement *st, int index, struct slice value);
void db_bind_blob(struct db_statement *st, int index, struct slice value);
void db_bind_null(struct db_statement *st, int index);

/* DB_FAILED sets err. After DB_DONE or DB_FAILED the statement is reset. */
MUST_CHECK enum db_row db_step(struct db_statement *st, struct error *err);
/* For statements without rows, and INSERT … RETURNING whose row is not wanted: steps to the end. */
MUST_CHECK bool db_run(struct db_statement *st, struct error *err);
/* Steps once, expecting at most one row: *found_out says whether columns can be read. Call db_reset
 * after reading them. */
MUST_CHECK bool db_fetch_one(struct db_statement *st, bool *found_out, struct error *err);
/* Ends the use of a statement early. Built statements are finalised. NULL is allowed. */
void db_reset(struct db_statement *st_or_null);
/* Resets every statement of the connection; after a jump out of an arena guard. */
void db_reset_all(struct db *db);

/* Columns count from 0. Slices are valid until the next step or reset: copy them to the arena. */
int64_t db_column_i64(const struct db_statement *st, int index);
double db_column_double(const struct db_statement *st, int index);
struct slice db_column_text(const struct db_statement *st, int index); /* absent for NULL */
struct slice db_column_blob(const struct db_statement *st, int index);
bool db_column_is_null(const struct db_statement *st, int index);
/* db_column_text copied to the arena. */
struct slice db_column_copy(const struct db_statement *st, int index, struct arena *arena);

/* Rows changed by the last db_step/db_run of an INSERT, UPDATE or DELETE. */
int64_t db_changes(struct db *db);
/* Rows changed since the connection was opened; rolling back does not lower it. A statement that fails counts for
 * nothing, since all it did is undone. */
int64_t db_changes_total(struct db *db);
/* Runs one constant statement without parameters or rows (BEGIN IMMEDIATE, SAVEPOINT job, …). */
MUST_CHECK bool db_exec(struct db *db, struct sql sql, struct error *err);
/* Runs a script of several statements; for migrations only, whose text is embedded at build time. */
MUST_CHECK bool db_exec_script(struct db *db, struct slice script, struct error *err);
bool db_in_transaction(struct db *db);

/* Thread-safe: makes the statement that runs now fail with TEMPORARILY_UNAVAILABLE. */
void db_interrupt(struct db *db);
/* Statements fail with TEMPORARILY_UNAVAILABLE once the monotonic clock passes this; 0 = no deadline. */
void db_deadline_set(struct db *db, int64_t monotonic_ns);

/* Moves WAL content into the database file as far as readers allow; never blocks them. */
MUST_CHECK bool db_checkpoint(struct db *db, struct error *err);
/* Pages in the WAL after the last commit, to decide on a checkpoint. */
int64_t db_wal_pages(struct db *db);
/* Size of the database in bytes (page count × page size), and of its free list. */
MUST_CHECK bool db_size(struct db *db, int64_t *bytes_out, int64_t *free_bytes_out, struct error *err);
/* Version of the driver's library, "SQLite 3.40.1". Static text. */
const char *db_driver_version(void);

#endif
