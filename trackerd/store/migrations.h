/* Brings a database file to the schema this program knows: the numbered scripts of
 * schema/sqlite/<database>/.
 *
 * Each script runs once, in order; all that are missing run in one transaction together with their
 * rows in schema_migrations. So a crash or a failure leaves the file at the version that it had,
 * which the program that wrote it still opens. The file carries an application id, which tells our
 * two databases from each other and from anybody else's. Called at start, before other threads have
 * connections. */
#ifndef STORE_MIGRATIONS_H
#define STORE_MIGRATIONS_H

#include <stdint.h>

#include "base/error.h"
#include "db/db.h"
#include "schema_embedded.h"

/* `database` is "tracker" or "artifacts". Refuses, with INVALID_STATE and a sentence for the
 * operator: a newer schema, a database that is not ours, the other one of ours. Writes nothing, so
 * that a reader can ask before a writer puts its settings into somebody else's file. */
MUST_CHECK bool migrations_check(struct db *db, const char *database, struct error *err);
/* Refuses what migrations_check refuses. `db` is read-write and in no transaction. */
MUST_CHECK bool migrations_apply(struct db *db, const char *database, struct error *err);
/* The same with another table of scripts and time; rows of other databases are skipped. */
MUST_CHECK bool migrations_apply_scripts(struct db *db, const char *database,
					 const struct schema_script *scripts, unsigned script_count,
					 int64_t now_ms, struct error *err);
/* Version of the last script that was applied to this file; 0 for an empty one. Also on read-only
 * connections, of files that migrations_apply passed. */
MUST_CHECK bool migrations_version(struct db *db, int *out, struct error *err);
/* Version of the last script that this program has for `database`. Pure. */
int migrations_version_known(const char *database);

#endif
