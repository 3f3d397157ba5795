/* Owns opening and closing of SQLite connections: settings, safety, why a file cannot be used. */
#include "db/db_sqlite_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "db/like.h"
#include "db/regex.h"

enum {
	PAGE_BYTES_DEFAULT = 4096,
	CACHE_BYTES_DEFAULT = 2 * 1024 * 1024,
	BUSY_TIMEOUT_MS_DEFAULT = 5000,
	PROGRESS_OPS = 1000, /* about 10 µs between looks at the deadline */
	EXPRESSION_DEPTH_MAX = 1000,
	LIKE_PATTERN_BYTES_MAX = 8192, /* bounds the time of a row; values have 8000 */
	WAL_FILE_BYTES_KEPT = 64 * 1024 * 1024,
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static pthread_once_t version_once = PTHREAD_ONCE_INIT;
static char version[32]; /* written once, by make_version */

static void configure_library(void);
static void make_version(void);
static bool open_handle(struct db *db, const char *path, enum db_mode mode, struct error *err);
static bool configure(struct db *db, const char *path, const struct db_options *options,
		      struct error *err);
static bool configure_writer(struct db *db, const char *path, const struct db_options *options,
			     struct error *err);
static bool check_is_database(struct db *db, const char *path, struct error *err);
static bool pragma(struct db *db, const char *path, struct error *err, const char *format, ...)
	PRINTF_LIKE(4, 5);
static bool open_error(struct db *db, int rc, const char *path, struct error *err);
static bool cannot_open(const char *path, enum db_mode mode, int system_errno, struct error *err);
static bool register_functions(struct db *db);
static int on_progress(void *context);
static int on_commit_to_wal(void *context, sqlite3 *handle, const char *name, int pages);
static int authorize_reading(void *context, int action, const char *first, const char *second,
			     const char *database, const char *trigger);
static void call_rlike(sqlite3_context *context, int count, sqlite3_value **arguments);
static void call_like_cs(sqlite3_context *context, int count, sqlite3_value **arguments);
static void call_ilike(sqlite3_context *context, int count, sqlite3_value **arguments);
static void call_like(sqlite3_context *context, sqlite3_value **arguments, bool ignore_case);

bool db_open(const char *path, const struct db_options *options, struct db **out, struct error *err)
{
	struct db *db = calloc(1, sizeof(*db));
	if (db == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "No memory to open '%s'.", path);
	db->mode = options->mode;
	int rc = pthread_once(&library_once, configure_library);
	ASSERT(rc == 0);
	if (!open_handle(db, path, options->mode, err) || !configure(db, path, options, err)) {
		db_close(db);
		return false;
	}
	*out = db;
	return true;
}

void db_close(struct db *db_or_null)
{
	if (db_or_null == NULL)
		return;
	db_statements_free(db_or_null);
	int rc = sqlite3_close(db_or_null->handle);
	ASSERT(rc == SQLITE_OK); /* busy only while statements exist */
	free(db_or_null);
}

const char *db_driver_version(void)
{
	int rc = pthread_once(&version_once, make_version);
	ASSERT(rc == 0);
	return version;
}

/* Counting the memory that is in use takes a mutex of all connections at each allocation: a tenth of the time of a
 * small write. Nobody asks for the count. */
static void configure_library(void)
{
	int rc = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	ASSERT(rc == SQLITE_OK); /* refused only when the library is in use already */
}

/* The library at run time may be newer than the header at build time. */
static void make_version(void)
{
	snprintf(version, sizeof(version), "SQLite %s", sqlite3_libversion());
}

static bool open_handle(struct db *db, const char *path, enum db_mode mode, struct error *err)
{
	/* One thread uses a connection at a time, so that SQLite's own mutexes are a waste. */
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	flags |= mode == DB_READ_ONLY ? SQLITE_OPEN_READONLY
				      : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	int rc = sqlite3_open_v2(path, &db->handle, flags, NULL);
	if (rc != SQLITE_OK)
		return open_error(db, rc, path, err);
	/* SQLite falls back to reading when it may not write. */
	if (mode == DB_READ_WRITE && sqlite3_db_readonly(db->handle, "main") == 1)
		return cannot_open(path, mode, EACCES, err);
	return true;
}

static bool configure(struct db *db, const char *path, const struct db_options *options,
		      struct error *err)
{
	static const struct {
		int option;
		int value;
	} switches[] = {
		{SQLITE_DBCONFIG_DEFENSIVE, 1},	  {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
		{SQLITE_DBCONFIG_DQS_DML, 0},	  {SQLITE_DBCONFIG_DQS_DDL, 0},
		{SQLITE_DBCONFIG_ENABLE_FKEY, 1}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0},
	};
	for (size_t i = 0; i < ARRAY_COUNT(switches); i++) {
		int rc = sqlite3_db_config(db->handle, switches[i].option, switches[i].value, NULL);
		ASSERT(rc == SQLITE_OK);
	}
	int timeout_ms = options->busy_timeout_ms;
	int64_t cache_bytes = options->cache_bytes;
	if (timeout_ms == 0)
		timeout_ms = BUSY_TIMEOUT_MS_DEFAULT;
	if (cache_bytes == 0)
		cache_bytes = CACHE_BYTES_DEFAULT;
	(void)sqlite3_busy_timeout(db->handle, timeout_ms); /* fails for a bad handle only */
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_EXPR_DEPTH, EXPRESSION_DEPTH_MAX);
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LIKE_PATTERN_BYTES_MAX);
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_progress_handler(db->handle, PROGRESS_OPS, on_progress, db);
	if (!register_functions(db))
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "No memory to open '%s'.", path);
	if (!check_is_database(db, path, err))
		return false;
	if (options->mode == DB_READ_WRITE && !configure_writer(db, path, options, err))
		return false;
	if (!pragma(db, path, err, "cache_size=-%lld", (long long)(cache_bytes / 1024)) ||
	    !pragma(db, path, err, "mmap_size=%lld", (long long)options->mmap_bytes))
		return false;
	if (options->mode == DB_READ_WRITE)
		return true;
	if (!pragma(db, path, err, "query_only=ON"))
		return false;
	int rc = sqlite3_set_authorizer(db->handle, authorize_reading, NULL);
	ASSERT(rc == SQLITE_OK);
	return true;
}

static bool configure_writer(struct db *db, const char *path, const struct db_options *options,
			     struct error *err)
{
	int page_bytes = options->page_bytes == 0 ? PAGE_BYTES_DEFAULT : options->page_bytes;
	/* The page size has to be set before WAL mode writes the first page. */
	if (!pragma(db, path, err, "page_size=%d", page_bytes))
		return false;
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(db->handle, "PRAGMA journal_mode=WAL", -1, &statement, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(statement);
	const unsigned char *mode = rc == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
	bool is_memory = strcmp(path, ":memory:") == 0;
	bool is_wal = mode != NULL && strcmp((const char *)mode, is_memory ? "memory" : "wal") == 0;
	(void)sqlite3_finalize(statement); /* repeats what step said */
	if (rc != SQLITE_ROW)
		return open_error(db, rc, path, err);
	if (!is_wal)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "Cannot open '%s': the file system does not support a "
				 "write-ahead log (shared memory is needed).",
				 path);
	/* Commits are durable at once; moving pages into the file is db_checkpoint's work. What
	 * savepoints need to go back is small and stays in memory: a write must not fail for want of
	 * room in the system's temporary folder. */
	if (!pragma(db, path, err, "synchronous=FULL") ||
	    !pragma(db, path, err, "temp_store=MEMORY") ||
	    !pragma(db, path, err, "wal_autocheckpoint=0") ||
	    !pragma(db, path, err, "journal_size_limit=%d", WAL_FILE_BYTES_KEPT))
		return false;
	(void)sqlite3_wal_hook(db->handle, on_commit_to_wal, db); /* gives the previous hook */
	return true;
}

/* Opening reads nothing: only these show a file that is something else, or cut short. */
static bool check_is_database(struct db *db, const char *path, struct error *err)
{
	int rc = sqlite3_exec(db->handle, "PRAGMA schema_version", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db->handle, "SELECT count(*) FROM sqlite_master", NULL, NULL,
				  NULL);
	return rc == SQLITE_OK || open_error(db, rc, path, err);
}

static bool pragma(struct db *db, const char *path, struct error *err, const char *format, ...)
{
	char text[96] = "PRAGMA ";
	size_t used = strlen(text);
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(text + used, sizeof(text) - used, format, arguments);
	va_end(arguments);
	ASSERT(len > 0 && (size_t)len < sizeof(text) - used);
	int rc = sqlite3_exec(db->handle, text, NULL, NULL, NULL);
	return rc == SQLITE_OK || open_error(db, rc, path, err);
}

static bool open_error(struct db *db, int rc, const char *path, struct error *err)
{
	int system_errno = db->handle == NULL ? 0 : sqlite3_system_errno(db->handle);
	if (system_errno == EISDIR)
		return cannot_open(path, db->mode, system_errno, err);
	switch (rc & 0xFF) {
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_READONLY:
		return cannot_open(path, db->mode, system_errno, err);
	case SQLITE_NOTADB:
		return error_set(err, ERR_DATA_LOSS, "'%s' is not a database.", path);
	case SQLITE_CORRUPT:
		return error_set(err, ERR_DATA_LOSS, "The database '%s' is damaged.", path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The database '%s' is in use by another program.", path);
	default:
		(void)db_error(db, rc, "db_open_failed", err);
		return error_prefix(err, "Cannot open '%s'", path);
	}
}

/* SQLite tries several ways to open a file and remembers only the last one's errno: look again. */
static bool cannot_open(const char *path, enum db_mode mode, int system_errno, struct error *err)
{
	struct stat info;
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup("./") : strndup(path, (size_t)(slash - path) + 1);
	if (folder == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "No memory to open '%s'.", path);
	bool lacks_folder = stat(folder, &info) != 0 && errno != EACCES;
	bool can_create = faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
	free(folder);
	bool lacks_file = stat(path, &info) != 0;
	bool is_hidden = lacks_file && errno == EACCES;
	if (lacks_folder)
		return error_set(err, ERR_NOT_FOUND, "Cannot open '%s': its folder does not exist.",
				 path);
	if (!lacks_file && S_ISDIR(info.st_mode))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Cannot open '%s': it is a folder.", path);
	if (system_errno == ENOSPC || system_errno == EDQUOT)
		return error_set(err, ERR_STORAGE_FULL, "Cannot open '%s': the disk is full.",
				 path);
	if (is_hidden || (lacks_file && mode == DB_READ_WRITE && !can_create) ||
	    system_errno == EACCES || system_errno == EPERM || system_errno == EROFS)
		return error_set(err, ERR_PERMISSION_DENIED, "Cannot open '%s': permission denied.",
				 path);
	if (lacks_file)
		return error_set(err, ERR_NOT_FOUND, "Cannot open '%s': no such file.", path);
	return error_set(err, ERR_INTERNAL_ERROR, "Cannot open '%s': %s.", path,
			 system_errno == 0 ? "SQLite cannot use it"
					   : strerrordesc_np(system_errno));
}

static bool register_functions(struct db *db)
{
	static const struct {
		const char *name;
		void (*call)(sqlite3_context *context, int count, sqlite3_value **arguments);
	} functions[] = {{"like_cs", call_like_cs}, {"ilike", call_ilike}, {"rlike", call_rlike}};
	for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
		int rc = sqlite3_create_function_v2(
			db->handle, functions[i].name, 2,
			SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, db,
			functions[i].call, NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return false;
	}
	return true;
}

/* Fails a call behind the deadline: SQLite's own looks at it are too many calls apart. */
static bool is_in_time(sqlite3_context *context)
{
	bool is_late = db_is_late(sqlite3_user_data(context));
	if (is_late)
		sqlite3_result_error_code(context, SQLITE_INTERRUPT);
	return !is_late;
}

static void free_regex(void *regex)
{
	regex_free(regex);
}

/* SQLite keeps the compiled pattern for the rows that follow. */
static const struct regex *compiled_pattern(sqlite3_context *context, sqlite3_value *pattern)
{
	struct regex *regex = sqlite3_get_auxdata(context, 0);
	struct error err;
	if (regex != NULL)
		return regex;
	const char *text = (const char *)sqlite3_value_text(pattern);
	if (!regex_new(slice_make(text, (size_t)sqlite3_value_bytes(pattern)), &regex, &err)) {
		sqlite3_result_error(context, err.message, -1);
		return NULL;
	}
	sqlite3_set_auxdata(context, 0, regex, free_regex);
	return sqlite3_get_auxdata(context, 0);
}

static void call_rlike(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	if (sqlite3_value_type(arguments[0]) == SQLITE_NULL ||
	    sqlite3_value_type(arguments[1]) == SQLITE_NULL)
		return; /* the result is NULL already */
	if (!is_in_time(context))
		return;
	const struct regex *regex = compiled_pattern(context, arguments[0]);
	if (regex == NULL)
		return;
	const char *text = (const char *)sqlite3_value_text(arguments[1]);
	size_t bytes = (size_t)sqlite3_value_bytes(arguments[1]);
	sqlite3_result_int(context, regex_finds(regex, slice_make(text, bytes)));
}

static int on_progress(void *context)
{
	return db_is_late(context) ? 1 : 0;
}

static int on_commit_to_wal(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = context;
	(void)handle;
	(void)name;
	db->wal_pages = pages;
	return SQLITE_OK;
}

static int authorize_reading(void *context, int action, const char *first, const char *second,
			     const char *database, const char *trigger)
{
	(void)context;
	(void)database;
	(void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_FUNCTION:
	case SQLITE_RECURSIVE:
	case SQLITE_TRANSACTION:
	case SQLITE_SAVEPOINT:
		return SQLITE_OK;
	case SQLITE_PRAGMA:
		/* What db_size reads, and whose the file is. */
		if (second == NULL && first != NULL &&
		    (strcmp(first, "page_count") == 0 || strcmp(first, "page_size") == 0 ||
		     strcmp(first, "freelist_count") == 0 ||
		     strcmp(first, "application_id") == 0))
			return SQLITE_OK;
		return SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

static void call_like_cs(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	call_like(context, arguments, false);
}

static void call_ilike(sqlite3_context *context, int count, sqlite3_value **arguments)
{
	(void)count;
	call_like(context, arguments, true);
}

static void call_like(sqlite3_context *context, sqlite3_value **arguments, bool ignore_case)
{
	const char *pattern = (const char *)sqlite3_value_text(arguments[0]);
	const char *text = (const char *)sqlite3_value_text(arguments[1]);
	if (pattern == NULL || text == NULL)
		return; /* NULL */
	if (!is_in_time(context))
		return;
	struct slice pattern_slice = slice_make(pattern, (size_t)sqlite3_value_bytes(arguments[0]));
	if (pattern_slice.len > LIKE_PATTERN_BYTES_MAX) {
		sqlite3_result_error(context, "LIKE pattern is too long", -1);
		return;
	}
	struct slice text_slice = slice_make(text, (size_t)sqlite3_value_bytes(arguments[1]));
	sqlite3_result_int(context, like_matches(pattern_slice, text_slice, ignore_case));
}
