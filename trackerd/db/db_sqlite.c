/* Owns SQLite statements: preparing, binding, stepping, reading columns, and what failures mean. */
#include "db/db_sqlite_internal.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "db/sql_builder.h"

enum { CACHE_CAPACITY_MIN = 64 };

static struct db_statement *statement_new(struct db *db, const char *text, size_t len,
					  struct error *err);
static void statement_free(struct db_statement *st);
static void statement_rewind(struct db_statement *st);
static bool has_parameters_in_order(sqlite3_stmt *handle);
static bool is_blank(const char *text);
static struct db_statement **cache_slot(struct db *db, const char *text);
static bool cache_grow(struct db *db);
static void bind_values(struct db_statement *st, const struct sql_builder *built);
static int position(struct db_statement *st, int index);
static void note_bind(struct db_statement *st, int rc);
static bool is_going_back(const char *text_or_null);
static bool fault_fires(struct db *db, struct error *err);
static bool read_pragma(struct db *db, struct sql sql, int64_t *out, struct error *err);

struct db_statement *db_prepare(struct db *db, struct sql sql, struct error *err)
{
	struct db_statement **slot = db->cache == NULL ? NULL : cache_slot(db, sql.text);
	if (slot != NULL && *slot != NULL) {
		ASSERT(!(*slot)->has_stepped); /* one literal at two nesting levels */
		statement_rewind(*slot);
		return *slot;
	}
	if (!is_going_back(sql.text) && fault_fires(db, err))
		return NULL;
	if (db->cache_count >= db->cache_capacity / 2 && !cache_grow(db)) {
		(void)db_error(db, SQLITE_NOMEM, "db_prepare_failed", err);
		return NULL;
	}
	struct db_statement *st = statement_new(db, sql.text, strlen(sql.text), err);
	if (st == NULL)
		return NULL;
	st->text = sql.text;
	*cache_slot(db, sql.text) = st;
	db->cache_count++;
	return st;
}

struct db_statement *db_prepare_built(struct db *db, const struct sql_builder *built,
				      struct error *err)
{
	if (built->too_long) {
		(void)error_set(err, ERR_INVALID_PARAMETER_VALUE,
				"The query is too long: it needs more than %d values or %d bytes.",
				SQL_VALUES_MAX, SQL_TEXT_BYTES_MAX);
		return NULL;
	}
	ASSERT(built->text_len > 0);
	if (fault_fires(db, err))
		return NULL;
	struct db_statement *st = statement_new(db, built->text, built->text_len, err);
	if (st == NULL)
		return NULL;
	st->next_or_null = db->built_or_null;
	db->built_or_null = st;
	bind_values(st, built);
	return st;
}

void db_bind_i64(struct db_statement *st, int index, int64_t value)
{
	note_bind(st, sqlite3_bind_int64(st->handle, position(st, index), value));
}

void db_bind_double(struct db_statement *st, int index, double value)
{
	note_bind(st, sqlite3_bind_double(st->handle, position(st, index), value));
}

void db_bind_text(struct db_statement *st, int index, struct slice value)
{
	/* SQLite takes a NULL pointer for NULL. */
	note_bind(st, sqlite3_bind_text64(st->handle, position(st, index), value.ptr, value.len,
					  SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db_statement *st, int index, struct slice value)
{
	note_bind(st, sqlite3_bind_blob64(st->handle, position(st, index), value.ptr, value.len,
					  SQLITE_STATIC));
}

void db_bind_null(struct db_statement *st, int index)
{
	note_bind(st, sqlite3_bind_null(st->handle, position(st, index)));
}

enum db_row db_step(struct db_statement *st, struct error *err)
{
	struct db *db = st->db;
	bool going_back = is_going_back(st->text);
	if (!going_back && fault_fires(db, err)) {
		db_reset(st);
		return DB_FAILED;
	}
	int rc = st->bind_rc;
	if (rc == SQLITE_OK) {
		/* A statement that starts late would run up to the first look at the clock. */
		bool late = !st->has_stepped && !going_back && db_is_late(db);
		st->has_stepped = true;
		rc = late ? SQLITE_INTERRUPT : sqlite3_step(st->handle);
	}
	if (rc == SQLITE_ROW)
		return DB_ROW;
	if (rc == SQLITE_DONE) {
		db_reset(st);
		return DB_DONE;
	}
	(void)db_error(db, rc, "db_step_failed", err);
	db_reset(st);
	return DB_FAILED;
}

bool db_run(struct db_statement *st, struct error *err)
{
	enum db_row row;
	do {
		row = db_step(st, err);
	} while (row == DB_ROW);
	return row == DB_DONE;
}

bool db_fetch_one(struct db_statement *st, bool *found_out, struct error *err)
{
	enum db_row row = db_step(st, err);
	if (row == DB_FAILED)
		return false;
	*found_out = row == DB_ROW;
	return true;
}

void db_reset(struct db_statement *st_or_null)
{
	if (st_or_null == NULL)
		return;
	if (st_or_null->text != NULL) {
		statement_rewind(st_or_null);
		return;
	}
	struct db_statement **link = &st_or_null->db->built_or_null;
	while (*link != st_or_null)
		link = &(*link)->next_or_null;
	*link = st_or_null->next_or_null;
	statement_free(st_or_null);
}

void db_reset_all(struct db *db)
{
	while (db->built_or_null != NULL)
		db_reset(db->built_or_null);
	for (size_t i = 0; i < db->cache_capacity; i++)
		db_reset(db->cache[i]);
}

int64_t db_column_i64(const struct db_statement *st, int index)
{
	return sqlite3_column_int64(st->handle, index);
}

double db_column_double(const struct db_statement *st, int index)
{
	return sqlite3_column_double(st->handle, index);
}

struct slice db_column_text(const struct db_statement *st, int index)
{
	if (db_column_is_null(st, index))
		return (struct slice){NULL, 0};
	const char *text = (const char *)sqlite3_column_text(st->handle, index);
	ASSERT(text != NULL); /* no memory to convert a number: SQLite cannot say it otherwise */
	return slice_make(text, (size_t)sqlite3_column_bytes(st->handle, index));
}

struct slice db_column_blob(const struct db_statement *st, int index)
{
	if (db_column_is_null(st, index))
		return (struct slice){NULL, 0};
	const char *bytes = sqlite3_column_blob(st->handle, index);
	/* SQLite has no address for an empty blob. */
	return bytes == NULL ? SLICE("")
			     : slice_make(bytes, (size_t)sqlite3_column_bytes(st->handle, index));
}

bool db_column_is_null(const struct db_statement *st, int index)
{
	ASSERT(index >= 0 && index < sqlite3_data_count(st->handle));
	return sqlite3_column_type(st->handle, index) == SQLITE_NULL;
}

struct slice db_column_copy(const struct db_statement *st, int index, struct arena *arena)
{
	return arena_copy(arena, db_column_text(st, index));
}

int64_t db_changes(struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_changes_total(struct db *db)
{
	return sqlite3_total_changes64(db->handle);
}

bool db_exec(struct db *db, struct sql sql, struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	return st != NULL && db_run(st, err);
}

bool db_exec_script(struct db *db, struct slice script, struct error *err)
{
	const char *at = script.ptr;
	const char *end = script.ptr + script.len;
	ASSERT(script.len <= INT32_MAX);
	while (at < end) {
		sqlite3_stmt *handle = NULL;
		if (fault_fires(db, err))
			return false;
		int rc = sqlite3_prepare_v2(db->handle, at, (int)(end - at), &handle, &at);
		if (rc == SQLITE_OK && handle == NULL)
			continue; /* only a comment or white space up to here */
		while (rc == SQLITE_OK || rc == SQLITE_ROW)
			rc = sqlite3_step(handle);
		(void)sqlite3_finalize(handle); /* repeats what step said */
		if (rc != SQLITE_DONE)
			return db_error(db, rc, "db_script_failed", err);
	}
	return true;
}

bool db_in_transaction(struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

void db_interrupt(struct db *db)
{
	sqlite3_interrupt(db->handle);
}

void db_deadline_set(struct db *db, int64_t monotonic_ns)
{
	db->deadline_ns = monotonic_ns;
}

bool db_is_late(const struct db *db)
{
	return db->deadline_ns != 0 && clock_monotonic_ns(clock_system()) >= db->deadline_ns;
}

bool db_checkpoint(struct db *db, struct error *err)
{
	int wal_pages = 0, moved_pages = 0;
	if (fault_fires(db, err))
		return false;
	int rc = sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &wal_pages,
					   &moved_pages);
	/* Busy: someone else is doing the same work. */
	if ((rc & 0xFF) == SQLITE_BUSY)
		return true;
	if (rc != SQLITE_OK)
		return db_error(db, rc, "db_checkpoint_failed", err);
	/* -1 when there is no WAL. What has been moved is written over by the next commit. */
	db->wal_pages = wal_pages > moved_pages ? wal_pages - moved_pages : 0;
	return true;
}

int64_t db_wal_pages(struct db *db)
{
	return db->wal_pages;
}

bool db_size(struct db *db, int64_t *bytes_out, int64_t *free_bytes_out, struct error *err)
{
	int64_t page_bytes, pages, free_pages;
	if (!read_pragma(db, SQL("PRAGMA page_size"), &page_bytes, err) ||
	    !read_pragma(db, SQL("PRAGMA page_count"), &pages, err) ||
	    !read_pragma(db, SQL("PRAGMA freelist_count"), &free_pages, err))
		return false;
	*bytes_out = pages * page_bytes;
	*free_bytes_out = free_pages * page_bytes;
	return true;
}

bool db_error(struct db *db, int rc, const char *what, struct error *err)
{
	int system_errno = db->handle == NULL ? 0 : sqlite3_system_errno(db->handle);
	bool no_room =
		(rc & 0xFF) == SQLITE_IOERR && (system_errno == ENOSPC || system_errno == EDQUOT);
	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY ||
	    rc == SQLITE_CONSTRAINT_ROWID)
		return error_set(err, ERR_RESOURCE_ALREADY_EXISTS, "Such a row already exists.");
	switch (rc & 0xFF) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "The database is busy.");
	case SQLITE_INTERRUPT:
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The query took too long and was interrupted.");
	default:
		break;
	}
	char quoted[512];
	const char *detail = db->handle == NULL ? sqlite3_errstr(rc) : sqlite3_errmsg(db->handle);
	log_event(LOG_ERROR, what, "code=%d errno=%d detail=%s", rc, system_errno,
		  log_quote(slice_from_cstr(detail), quoted, sizeof(quoted)));
	if ((rc & 0xFF) == SQLITE_FULL || no_room)
		return error_set(err, ERR_STORAGE_FULL, "The disk is full.");
	if ((rc & 0xFF) == SQLITE_CORRUPT || (rc & 0xFF) == SQLITE_NOTADB)
		return error_set(err, ERR_DATA_LOSS, "The database is damaged.");
	return error_set(err, ERR_INTERNAL_ERROR, "The database failed; the log says how.");
}

void db_statements_free(struct db *db)
{
	while (db->built_or_null != NULL)
		db_reset(db->built_or_null);
	for (size_t i = 0; i < db->cache_capacity; i++) {
		if (db->cache[i] != NULL)
			statement_free(db->cache[i]);
	}
	free(db->cache);
	db->cache = NULL;
	db->cache_count = db->cache_capacity = 0;
}

static struct db_statement *statement_new(struct db *db, const char *text, size_t len,
					  struct error *err)
{
	sqlite3_stmt *handle = NULL;
	const char *tail = NULL;
	ASSERT(len < INT32_MAX);
	int rc = sqlite3_prepare_v3(db->handle, text, (int)len + 1, SQLITE_PREPARE_PERSISTENT,
				    &handle, &tail);
	if (rc != SQLITE_OK) {
		(void)db_error(db, rc, "db_prepare_failed", err);
		return NULL;
	}
	ASSERT(handle != NULL && is_blank(tail)); /* one statement, and no second one behind it */
	struct db_statement *st = calloc(1, sizeof(*st));
	if (st == NULL) {
		(void)sqlite3_finalize(handle); /* never ran */
		(void)db_error(db, SQLITE_NOMEM, "db_prepare_failed", err);
		return NULL;
	}
	st->db = db;
	st->handle = handle;
	st->is_in_order = has_parameters_in_order(handle);
	return st;
}

static void statement_free(struct db_statement *st)
{
	(void)sqlite3_finalize(st->handle); /* repeats what the last step said */
	free(st);
}

static void statement_rewind(struct db_statement *st)
{
	(void)sqlite3_reset(st->handle);	  /* repeats what the last step said */
	(void)sqlite3_clear_bindings(st->handle); /* cannot fail; bound bytes may die now */
	st->has_stepped = false;
	st->bind_rc = SQLITE_OK;
}

/* SQLite numbers "$n" by first appearance in the text, not by n. */
static bool has_parameters_in_order(sqlite3_stmt *handle)
{
	int count = sqlite3_bind_parameter_count(handle);
	for (int i = 1; i <= count; i++) {
		char name[16];
		const char *actual = sqlite3_bind_parameter_name(handle, i);
		snprintf(name, sizeof(name), "$%d", i);
		if (actual == NULL || strcmp(actual, name) != 0)
			return false;
	}
	return true;
}

static bool is_blank(const char *text)
{
	return text[strspn(text, " \t\r\n;")] == '\0';
}

/* The place of this literal, or the free one where it belongs. */
static struct db_statement **cache_slot(struct db *db, const char *text)
{
	uint64_t hash = (uint64_t)(uintptr_t)text * UINT64_C(0x9E3779B97F4A7C15);
	size_t at = (size_t)(hash >> 32) & (db->cache_capacity - 1);
	while (db->cache[at] != NULL && db->cache[at]->text != text)
		at = (at + 1) & (db->cache_capacity - 1);
	return &db->cache[at];
}

static bool cache_grow(struct db *db)
{
	size_t old_capacity = db->cache_capacity;
	struct db_statement **old = db->cache;
	size_t capacity = old_capacity == 0 ? CACHE_CAPACITY_MIN : old_capacity * 2;
	struct db_statement **grown = calloc(capacity, sizeof(struct db_statement *));
	if (grown == NULL)
		return false;
	db->cache = grown;
	db->cache_capacity = capacity;
	for (size_t i = 0; i < old_capacity; i++) {
		if (old[i] != NULL)
			*cache_slot(db, old[i]->text) = old[i];
	}
	free(old);
	return true;
}

static void bind_values(struct db_statement *st, const struct sql_builder *built)
{
	for (size_t i = 0; i < built->value_count; i++) {
		const struct sql_value *value = &built->values[i];
		int index = (int)i + 1;
		switch (value->kind) {
		case SQL_VALUE_I64:
			db_bind_i64(st, index, value->i64);
			break;
		case SQL_VALUE_DOUBLE:
			db_bind_double(st, index, value->real);
			break;
		case SQL_VALUE_TEXT:
			db_bind_text(st, index, value->bytes);
			break;
		case SQL_VALUE_BLOB:
			db_bind_blob(st, index, value->bytes);
			break;
		}
	}
}

static int position(struct db_statement *st, int index)
{
	ASSERT(!st->has_stepped); /* a running statement is bound to what it started with */
	if (st->is_in_order)
		return index;
	char name[16];
	snprintf(name, sizeof(name), "$%d", index);
	return sqlite3_bind_parameter_index(st->handle, name);
}

static void note_bind(struct db_statement *st, int rc)
{
	ASSERT((rc & 0xFF) != SQLITE_RANGE && (rc & 0xFF) != SQLITE_MISUSE); /* no such parameter */
	if (st->bind_rc == SQLITE_OK)
		st->bind_rc = rc;
}

/* Going back has to work on a broken disk and after a deadline too: it only forgets. */
static bool is_going_back(const char *text_or_null)
{
	return text_or_null != NULL && strncmp(text_or_null, "ROLLBACK", 8) == 0;
}

static bool fault_fires(struct db *db, struct error *err)
{
	if (db->fault.countdown == 0)
		return false;
	if (db->fault.countdown > 1) {
		db->fault.countdown--;
		return false;
	}
	db->fault.fired = true;
	(void)error_set(err, db->fault.code, "A fault was injected.");
	return true;
}

static bool read_pragma(struct db *db, struct sql sql, int64_t *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}
