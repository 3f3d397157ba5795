/* Owns the schema version of a database file and the way from one to the next. */
#include "store/migrations.h"

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/sql_builder.h"

/* What `file` and other programs read in the header of the file: "trkT" and "trkA". */
struct database_kind {
	const char *name;
	int64_t application_id;
	struct sql set_application_id;
};

static const struct database_kind kinds[] = {
	{"tracker", 0x74726b54, {"PRAGMA application_id = 0x74726b54"}},
	{"artifacts", 0x74726b41, {"PRAGMA application_id = 0x74726b41"}},
};

/* What is to be done to a file. */
struct migration {
	const struct database_kind *kind;
	const struct schema_script *scripts;
	unsigned script_count;
	int64_t now_ms;
};

static const struct database_kind *find_kind(const char *database);
static bool read_i64(struct db *db, struct sql sql, int64_t *out, struct error *err);
static bool check_is_ours(struct db *db, const struct database_kind *kind, bool *is_empty_out,
			  struct error *err);
static bool check_is_not_newer(const char *database, int version, int version_known,
			       struct error *err);
static int last_version(const char *database, const struct schema_script *scripts, unsigned count);
static bool create_bookkeeping_in_txn(struct db *db, const struct database_kind *kind,
				      struct error *err);
static bool apply_scripts_in_txn(struct db *db, const struct migration *m, int version,
				 struct error *err);
static bool apply_in_txn(struct db *db, const struct schema_script *script, int64_t now_ms,
			 struct error *err);
static void rollback(struct db *db);

bool migrations_check(struct db *db, const char *database, struct error *err)
{
	bool is_empty = false;
	int version = 0;
	if (!check_is_ours(db, find_kind(database), &is_empty, err))
		return false;
	return is_empty ||
	       (migrations_version(db, &version, err) &&
		check_is_not_newer(database, version, migrations_version_known(database), err));
}

bool migrations_apply(struct db *db, const char *database, struct error *err)
{
	return migrations_apply_scripts(db, database, schema_scripts, schema_scripts_count,
					clock_wall_ms(clock_system()), err);
}

bool migrations_apply_scripts(struct db *db, const char *database,
			      const struct schema_script *scripts, unsigned script_count,
			      int64_t now_ms, struct error *err)
{
	const struct migration m = {
		.kind = find_kind(database),
		.scripts = scripts,
		.script_count = script_count,
		.now_ms = now_ms,
	};
	bool is_empty = false;
	int version = 0, version_known = last_version(database, scripts, script_count);
	if (!check_is_ours(db, m.kind, &is_empty, err) ||
	    (!is_empty && !migrations_version(db, &version, err)) ||
	    !check_is_not_newer(database, version, version_known, err))
		return false;
	if (!is_empty && version == version_known)
		return true;
	if (!db_exec(db, SQL("BEGIN IMMEDIATE"), err))
		return false;
	if ((is_empty && !create_bookkeeping_in_txn(db, m.kind, err)) ||
	    !apply_scripts_in_txn(db, &m, version, err) || !db_exec(db, SQL("COMMIT"), err)) {
		rollback(db);
		return false;
	}
	log_event(LOG_INFO, "schema_migrated", "database=%s from=%d to=%d", database, version,
		  version_known);
	return true;
}

bool migrations_version(struct db *db, int *out, struct error *err)
{
	int64_t version;
	if (!read_i64(db, SQL("SELECT coalesce(max(version), 0) FROM schema_migrations"), &version,
		      err))
		return false;
	*out = (int)version;
	return true;
}

int migrations_version_known(const char *database)
{
	return last_version(database, schema_scripts, schema_scripts_count);
}

/* Numbers have no gaps. */
static int last_version(const char *database, const struct schema_script *scripts, unsigned count)
{
	int version = 0;
	for (unsigned i = 0; i < count; i++) {
		if (strcmp(scripts[i].database, database) != 0)
			continue;
		ASSERT(scripts[i].version == version + 1);
		version = scripts[i].version;
	}
	return version;
}

static const struct database_kind *find_kind(const char *database)
{
	size_t i = 0;
	while (strcmp(kinds[i].name, database) != 0) {
		i++;
		ASSERT(i < ARRAY_COUNT(kinds));
	}
	return &kinds[i];
}

static bool read_i64(struct db *db, struct sql sql, int64_t *out, struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL)
		return false;
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

/* A file is ours when it says so in its header, and free to take when it has nothing in it. */
static bool check_is_ours(struct db *db, const struct database_kind *kind, bool *is_empty_out,
			  struct error *err)
{
	int64_t application_id, object_count;
	if (!read_i64(db, SQL("PRAGMA application_id"), &application_id, err) ||
	    !read_i64(db, SQL("SELECT count(*) FROM sqlite_master"), &object_count, err))
		return false;
	if (application_id == kind->application_id) {
		*is_empty_out = false;
		return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (application_id == kinds[i].application_id) {
			return error_set(err, ERR_INVALID_STATE,
					 "This is trackerd's %s database, where its %s database is "
					 "expected.",
					 kinds[i].name, kind->name);
		}
	}
	if (application_id != 0 || object_count > 0) {
		return error_set(
			err, ERR_INVALID_STATE,
			"This database belongs to another program; trackerd leaves it as it is.");
	}
	*is_empty_out = true;
	return true;
}

static bool check_is_not_newer(const char *database, int version, int version_known,
			       struct error *err)
{
	if (version <= version_known)
		return true;
	return error_set(
		err, ERR_INVALID_STATE,
		"The %s database has schema version %d, but this program knows versions up to"
		" %d. Start a newer trackerd, or restore a backup made before the upgrade.",
		database, version, version_known);
}

static bool create_bookkeeping_in_txn(struct db *db, const struct database_kind *kind,
				      struct error *err)
{
	return db_exec(db, kind->set_application_id, err) &&
	       db_exec(db,
		       SQL("CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, name TEXT "
			   "NOT NULL,"
			   " applied_ms INTEGER NOT NULL) STRICT"),
		       err);
}

/* Those after `version`. */
static bool apply_scripts_in_txn(struct db *db, const struct migration *m, int version,
				 struct error *err)
{
	for (unsigned i = 0; i < m->script_count; i++) {
		const struct schema_script *script = &m->scripts[i];
		if (strcmp(script->database, m->kind->name) != 0 || script->version <= version)
			continue;
		if (!apply_in_txn(db, script, m->now_ms, err))
			return error_prefix(err, "schema migration %s of the %s database failed",
					    script->name, script->database);
	}
	return true;
}

static bool apply_in_txn(struct db *db, const struct schema_script *script, int64_t now_ms,
			 struct error *err)
{
	struct slice text = slice_make(script->begin, (size_t)(script->end - script->begin));
	if (!db_exec_script(db, text, err))
		return false;
	struct db_statement *st = db_prepare(db,
					     SQL("INSERT INTO schema_migrations (version, name, "
						 "applied_ms) VALUES ($1, $2, $3)"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, script->version);
	db_bind_text(st, 2, slice_from_cstr(script->name));
	db_bind_i64(st, 3, now_ms);
	return db_run(st, err);
}

/* The error that led here is the one to tell. */
static void rollback(struct db *db)
{
	struct error ignored;
	if (db_in_transaction(db))
		(void)!db_exec(db, SQL("ROLLBACK"), &ignored);
}
