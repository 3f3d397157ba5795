/* Owns the reading of MLflow's tables, of any of its versions, through SQLite. */
#include "cli/sqlite_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"

enum { SQL_BYTES_MAX = 2048, BUSY_TIMEOUT_MS = 10000 };

struct table_state {
	bool exists;
	bool has[SQLITE_COLUMNS_MAX];
	bool is_indexed;    /* MLflow's own index finds rows by their key */
	bool has_own_index; /* ours does: temp.<table>_by_<key> */
};

struct sqlite_reader {
	sqlite3 *db;
	struct import_report *report;
	struct table_state tables[TABLES_COUNT];
};

// clang-format off
const struct sqlite_shape sqlite_shapes[TABLES_COUNT] = {
	[TABLE_EXPERIMENTS] = {"experiments",
		{"experiment_id", "name", "artifact_location", "lifecycle_stage", "creation_time", "last_update_time",
		 "workspace"}, "", "experiment_id"},
	[TABLE_EXPERIMENT_TAGS] = {"experiment_tags", {"key", "value"}, "experiment_id", "experiment_id"},
	[TABLE_RUNS] = {"runs",
		{"run_uuid", "name", "user_id", "status", "start_time", "end_time", "deleted_time", "lifecycle_stage",
		 "artifact_uri"},
		"experiment_id source_type source_name source_version entry_point_name", "experiment_id"},
	[TABLE_TAGS] = {"tags", {"key", "value"}, "run_uuid", "run_uuid"},
	[TABLE_PARAMS] = {"params", {"key", "value"}, "run_uuid", "run_uuid"},
	[TABLE_METRICS] = {"metrics", {"key", "value", "timestamp", "step", "is_nan"}, "run_uuid", "run_uuid"},
	[TABLE_DATASETS] = {"datasets",
		{"name", "digest", "dataset_source_type", "dataset_source", "dataset_schema", "dataset_profile"},
		"dataset_uuid experiment_id", "dataset_uuid"},
	[TABLE_INPUTS] = {"inputs",
		{"input_uuid", "source_type", "source_id", "destination_type", "destination_id", "step"}, "",
		"destination_id"},
	[TABLE_MODEL_LINKS] = {"inputs", {"source_type", "destination_type", "destination_id", "step"},
		"input_uuid source_id", "source_id"},
	[TABLE_INPUT_TAGS] = {"input_tags", {"name", "value"}, "input_uuid", "input_uuid"},
	[TABLE_LOGGED_MODELS] = {"logged_models",
		{"model_id", "name", "artifact_location", "creation_timestamp_ms", "last_updated_timestamp_ms", "status",
		 "lifecycle_stage", "model_type", "source_run_id", "status_message"}, "experiment_id", "experiment_id"},
	[TABLE_LOGGED_MODEL_TAGS] = {"logged_model_tags", {"tag_key", "tag_value"}, "model_id experiment_id", "model_id"},
	[TABLE_LOGGED_MODEL_PARAMS] = {"logged_model_params", {"param_key", "param_value"}, "model_id experiment_id",
		"model_id"},
	[TABLE_LOGGED_MODEL_METRICS] = {"logged_model_metrics",
		{"metric_name", "metric_value", "metric_timestamp_ms", "metric_step", "run_id", "dataset_name",
		 "dataset_digest"}, "model_id experiment_id dataset_uuid", "model_id"},
	[TABLE_MODELS] = {"registered_models",
		{"name", "creation_time", "last_updated_time", "description", "workspace"}, "", "name"},
	[TABLE_MODEL_TAGS] = {"registered_model_tags", {"key", "value", "workspace"}, "name", "name"},
	[TABLE_VERSIONS] = {"model_versions",
		{"version", "creation_time", "last_updated_time", "description", "user_id", "current_stage", "source",
		 "storage_location", "run_id", "run_link", "status", "status_message", "workspace"}, "name", "name"},
	[TABLE_VERSION_TAGS] = {"model_version_tags", {"version", "key", "value", "workspace"}, "name", "name"},
	[TABLE_ALIASES] = {"registered_model_aliases", {"alias", "version", "workspace"}, "name", "name"},
};

/* Tables whose rows follow from others or belong to them, or that only concern how MLflow runs. */
static const char *const derived_tables[] = {
	"alembic_version", "latest_metrics", "workspaces", "job_locks", "scheduler_leases", "trace_metrics", "span_metrics",
	"sql_trace_metric_daily_rollups", "sql_span_cost_daily_rollups", "sql_assessment_daily_rollups",
	"sql_trace_rollup_rebuild_queue", "trace_tags", "trace_request_metadata", "spans", "webhook_events",
	"evaluation_dataset_tags", "evaluation_dataset_records", "scorer_versions", "sqlite_sequence", "sqlite_stat1",
	"sqlite_stat4",
};

/* Tables that are known, and what their rows are. */
static const struct {
	const char *name, *things;
} carried_nowhere[] = {
	{"trace_info", "traces"}, {"assessments", "assessments of traces"}, {"webhooks", "webhooks"},
	{"evaluation_datasets", "evaluation datasets"}, {"entity_associations", "links between entities"},
	{"scorers", "scorers"}, {"online_scoring_configs", "scoring rules"}, {"jobs", "jobs"}, {"secrets", "secrets of the gateway"}, {"endpoints", "endpoints of the gateway"},
	{"model_definitions", "model definitions of the gateway"}, {"issues", "issues"},
};
// clang-format on

static bool look_at_tables(struct sqlite_reader *r, const char *path, struct error *err);
static bool index_tables(struct sqlite_reader *r, struct error *err);

/* ---- opening ---------------------------------------------------------------------------------- */

/* A sentence for what SQLite says when a file cannot be used at all. */
static bool fail_unusable(struct sqlite_reader *r, const char *path, int code, struct error *err)
{
	const char *detail = r->db != NULL ? sqlite3_errmsg(r->db) : sqlite3_errstr(code);
	switch (code & 0xff) {
	case SQLITE_NOTADB:
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%s is no SQLite database",
				 path);
	case SQLITE_CORRUPT:
		return error_set(err, ERR_DATA_LOSS,
				 "%s is damaged so that nothing can be read from it: %s", path,
				 detail);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, ERR_INVALID_STATE,
				 "%s is locked by a program that writes to it: stop MLflow first",
				 path);
	case SQLITE_READONLY:
		return error_set(err, ERR_INVALID_STATE,
				 "%s was not closed in order, and putting it right would write to "
				 "it: start and stop MLflow once, or import a copy of it",
				 path);
	default:
		return error_set(err, ERR_INVALID_STATE, "%s cannot be read: %s", path, detail);
	}
}

/* Whether nobody writes to the file: it is in WAL mode, and its log was emptied at the last close. Only then is it
 * opened without looking for a log, which would make SQLite put files beside it. */
static bool is_at_rest(const char *path)
{
	enum { VERSION_OFFSET = 18, WAL_VERSION = 2 };
	unsigned char version = 0;
	char log[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_wal = pread(fd, &version, 1, VERSION_OFFSET) == 1 && version == WAL_VERSION;
	(void)close(fd); /* only read */
	int len = snprintf(log, sizeof(log), "%s-wal", path);
	return is_wal && len > 0 && (size_t)len < sizeof(log) && access(log, F_OK) != 0;
}

/* "file:…?mode=ro", with what a URI gives a meaning escaped. */
static char *make_uri(const char *path)
{
	char *escaped = sqlite3_mprintf("%s", "file:");
	for (const char *c = path; escaped != NULL && *c != '\0'; c++) {
		bool is_special = *c == '?' || *c == '#' || *c == '%';
		char *longer = sqlite3_mprintf(is_special ? "%s%%%02X" : "%s%c", escaped, *c);
		sqlite3_free(escaped);
		escaped = longer;
	}
	char *uri =
		sqlite3_mprintf("%s?mode=ro%s", escaped, is_at_rest(path) ? "&immutable=1" : "");
	sqlite3_free(escaped);
	return uri;
}

static int execute(struct sqlite_reader *r, const char *sql)
{
	return sqlite3_exec(r->db, sql, NULL, NULL, NULL);
}

/* A transaction makes all that is read one state of the file. */
static int begin(struct sqlite_reader *r, const char *path)
{
	char *uri = make_uri(path);
	int code = uri == NULL ? SQLITE_NOMEM
			       : sqlite3_open_v2(uri, &r->db,
						 SQLITE_OPEN_READONLY | SQLITE_OPEN_URI |
							 SQLITE_OPEN_NOMUTEX,
						 NULL);
	sqlite3_free(uri);
	if (code != SQLITE_OK)
		return code;
	(void)sqlite3_extended_result_codes(r->db, 1); /* cannot fail on an open handle */
	(void)sqlite3_busy_timeout(r->db, BUSY_TIMEOUT_MS);
	static const char *const statements[] = {
		"PRAGMA temp_store = FILE",
		"PRAGMA mmap_size = 0",
		"PRAGMA trusted_schema = OFF",
		"PRAGMA cell_size_check = ON",
		"BEGIN",
		"SELECT count(*) FROM sqlite_master",
	};
	for (size_t i = 0; i < ARRAY_COUNT(statements) && code == SQLITE_OK; i++)
		code = execute(r, statements[i]);
	return code;
}

bool sqlite_reader_open(const char *path, struct import_report *report, struct sqlite_reader **out,
			struct error *err)
{
	struct sqlite_reader *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	r->report = report;
	int code = begin(r, path);
	bool ok = code == SQLITE_OK ? look_at_tables(r, path, err) && index_tables(r, err)
				    : fail_unusable(r, path, code, err);
	if (!ok) {
		sqlite_reader_close(r);
		return false;
	}
	*out = r;
	return true;
}

void sqlite_reader_close(struct sqlite_reader *r)
{
	if (r == NULL)
		return;
	(void)sqlite3_close_v2(r->db); /* read-only: nothing to lose */
	free(r);
}

/* ---- tables and columns ----------------------------------------------------------------------- */

static sqlite3_stmt *prepare(struct sqlite_reader *r, const char *sql)
{
	sqlite3_stmt *st = NULL;
	return sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) == SQLITE_OK ? st : NULL;
}

static void look_at_columns(struct sqlite_reader *r, enum sqlite_table table)
{
	const struct sqlite_shape *shape = &sqlite_shapes[table];
	struct table_state *state = &r->tables[table];
	char sql[SQL_BYTES_MAX];
	(void)snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')", shape->name);
	sqlite3_stmt *st = prepare(r, sql);
	while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		state->exists = true;
		for (size_t i = 0; i < SQLITE_COLUMNS_MAX && shape->columns[i] != NULL; i++)
			state->has[i] = state->has[i] ||
					(name != NULL && strcmp(name, shape->columns[i]) == 0);
	}
	(void)sqlite3_finalize(st); /* repeats the step's error */
	(void)snprintf(sql, sizeof(sql),
		       "SELECT 1 FROM pragma_index_list('%s') AS l, pragma_index_info(l.name) AS i"
		       " WHERE i.seqno = 0 AND i.name = '%s' AND l.partial = 0",
		       shape->name, shape->key);
	state->is_indexed = sqlite_number(r, sql, (struct slice){0}) == 1;
}

static bool look_at_tables(struct sqlite_reader *r, const char *path, struct error *err)
{
	static const char *const wanted[] = {"experiment_id", "name"};
	for (enum sqlite_table t = 0; t < TABLES_COUNT; t++)
		look_at_columns(r, t);
	if (sqlite_number(r, "SELECT count(*) FROM sqlite_master WHERE name = 'metric_series'",
			  (struct slice){0}) > 0)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"%s is a database of trackerd itself: give the data directory to a "
			"trackerd, or import from its address",
			path);
	bool is_mlflow = sqlite_has_column(r, TABLE_RUNS, "run_uuid");
	for (size_t i = 0; i < ARRAY_COUNT(wanted); i++)
		is_mlflow = is_mlflow && sqlite_has_column(r, TABLE_EXPERIMENTS, wanted[i]);
	return is_mlflow || error_set(err, ERR_INVALID_PARAMETER_VALUE,
				      "%s is a SQLite database, but not one of MLflow: it has no "
				      "tables \"experiments\" and \"runs\" as MLflow makes them",
				      path);
}

bool sqlite_has_column(const struct sqlite_reader *r, enum sqlite_table table, const char *column)
{
	for (size_t i = 0; i < SQLITE_COLUMNS_MAX && sqlite_shapes[table].columns[i] != NULL; i++) {
		if (strcmp(sqlite_shapes[table].columns[i], column) == 0)
			return r->tables[table].has[i];
	}
	return false;
}

/* Early versions had no index from a run to its rows, and none has one from an experiment to its runs: a scan for
 * each would cost runs × rows. Such a table gets an index in a temporary file. A table that is too damaged for that is
 * scanned, and its cursors tell. */
static void index_table(struct sqlite_reader *r, enum sqlite_table table)
{
	const struct sqlite_shape *shape = &sqlite_shapes[table];
	char sql[SQL_BYTES_MAX];
	(void)snprintf(
		sql, sizeof(sql),
		"CREATE TEMP TABLE \"%s_by_%s\" (key TEXT, row INTEGER, PRIMARY KEY (key, row))"
		" WITHOUT ROWID",
		shape->name, shape->key);
	if (execute(r, sql) != SQLITE_OK)
		return;
	(void)snprintf(sql, sizeof(sql),
		       "INSERT INTO temp.\"%s_by_%s\" SELECT CAST(\"%s\" AS TEXT), rowid"
		       " FROM main.\"%s\" WHERE \"%s\" IS NOT NULL ORDER BY 1, 2",
		       shape->name, shape->key, shape->key, shape->name, shape->key);
	r->tables[table].has_own_index = execute(r, sql) == SQLITE_OK;
}

static bool index_tables(struct sqlite_reader *r, struct error *err)
{
	for (enum sqlite_table t = 0; t < TABLES_COUNT; t++) {
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		if (r->tables[t].exists && !r->tables[t].is_indexed)
			index_table(r, t);
	}
	return true;
}

/* ---- counting --------------------------------------------------------------------------------- */

static void bind(sqlite3_stmt *st, struct slice parameter_or_absent)
{
	if (slice_is_present(parameter_or_absent))
		(void)sqlite3_bind_text64(st, 1, parameter_or_absent.ptr, parameter_or_absent.len,
					  SQLITE_STATIC, SQLITE_UTF8); /* ours, and short */
}

int64_t sqlite_number(struct sqlite_reader *r, const char *sql, struct slice parameter_or_absent)
{
	int64_t number = -1;
	sqlite3_stmt *st = prepare(r, sql);
	if (st == NULL)
		return -1;
	bind(st, parameter_or_absent);
	if (sqlite3_step(st) == SQLITE_ROW)
		number = sqlite3_column_int64(st, 0);
	return sqlite3_finalize(st) == SQLITE_OK ? number : -1;
}

int64_t sqlite_row_count(struct sqlite_reader *r, enum sqlite_table table,
			 struct slice key_or_absent)
{
	const struct sqlite_shape *shape = &sqlite_shapes[table];
	char sql[SQL_BYTES_MAX];
	if (!r->tables[table].exists)
		return 0;
	if (!slice_is_present(key_or_absent))
		(void)snprintf(sql, sizeof(sql), "SELECT count(*) FROM main.\"%s\"", shape->name);
	else if (r->tables[table].has_own_index)
		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM temp.\"%s_by_%s\" WHERE key = ?1", shape->name,
			       shape->key);
	else
		(void)snprintf(sql, sizeof(sql),
			       "SELECT count(*) FROM main.\"%s\" WHERE \"%s\" = ?1", shape->name,
			       shape->key);
	return sqlite_number(r, sql, key_or_absent);
}

/* ---- cursors ---------------------------------------------------------------------------------- */

static void append_columns(sqlite3_str *sql, const struct sqlite_cursor *c)
{
	const struct sqlite_shape *shape = &sqlite_shapes[c->table];
	for (size_t i = 0; i < SQLITE_COLUMNS_MAX && shape->columns[i] != NULL; i++) {
		if (c->r->tables[c->table].has[i])
			sqlite3_str_appendf(sql, ", t.\"%w\"", shape->columns[i]);
		else
			sqlite3_str_appendall(sql, ", NULL");
	}
}

static void append_source(sqlite3_str *sql, const struct sqlite_cursor *c)
{
	const struct sqlite_shape *shape = &sqlite_shapes[c->table];
	if (!slice_is_present(c->key))
		sqlite3_str_appendf(sql, " FROM main.\"%w\" AS t WHERE t.rowid > ?2", shape->name);
	else if (c->r->tables[c->table].has_own_index)
		sqlite3_str_appendf(sql,
				    " FROM temp.\"%w_by_%w\" AS k CROSS JOIN main.\"%w\" AS t"
				    " ON t.rowid = k.row WHERE k.key = ?1 AND k.row > ?2",
				    shape->name, shape->key, shape->name);
	else
		sqlite3_str_appendf(sql,
				    " FROM main.\"%w\" AS t WHERE t.\"%w\" = ?1 AND t.rowid > ?2",
				    shape->name, shape->key);
}

/* Rows behind last_row, in the direction of the cursor. */
static sqlite3_stmt *prepare_cursor(const struct sqlite_cursor *c)
{
	sqlite3_str *text = sqlite3_str_new(c->r->db);
	bool uses_own = slice_is_present(c->key) && c->r->tables[c->table].has_own_index;
	sqlite3_str_appendall(text, "SELECT t.rowid");
	append_columns(text, c);
	append_source(text, c);
	sqlite3_str_appendall(text, uses_own ? " ORDER BY k.row" : " ORDER BY t.rowid");
	sqlite3_str_appendall(text, c->is_backwards ? " DESC" : "");
	char *sql = sqlite3_str_finish(text);
	sqlite3_stmt *st = sql == NULL ? NULL : prepare(c->r, sql);
	sqlite3_free(sql);
	if (st == NULL)
		return NULL;
	bind(st, c->key);
	(void)sqlite3_bind_int64(st, 2, c->last_row); /* the parameter is there */
	return st;
}

void sqlite_cursor_open(struct sqlite_cursor *c, struct sqlite_reader *r, enum sqlite_table table,
			struct slice key_or_absent)
{
	sqlite_cursor_close(c);
	*c = (struct sqlite_cursor){
		.r = r, .table = table, .key = key_or_absent, .last_row = INT64_MIN};
	if (r->tables[table].exists)
		c->statement_or_null = prepare_cursor(c);
}

/* Tells the damage once; then the list goes on from its end. */
static void turn_back(struct sqlite_cursor *c)
{
	const char *name = sqlite_shapes[c->table].name;
	struct slice what = slice_is_present(c->key) ? c->key : slice_from_cstr(name);
	if (!c->is_backwards)
		import_report_add(c->r->report, IMPORT_FAILED, name, what,
				  "not all of its rows can be read: %s", sqlite3_errmsg(c->r->db));
	(void)sqlite3_finalize(c->statement_or_null); /* repeats the error */
	c->statement_or_null = NULL;
	if (c->is_backwards)
		return;
	c->is_backwards = true;
	c->statement_or_null = prepare_cursor(c);
}

bool sqlite_cursor_next(struct sqlite_cursor *c)
{
	while (c->statement_or_null != NULL) {
		int code = sqlite3_step(c->statement_or_null);
		if (code == SQLITE_ROW) {
			if (!c->is_backwards)
				c->last_row = sqlite3_column_int64(c->statement_or_null, 0);
			return true;
		}
		if (code == SQLITE_DONE) {
			sqlite_cursor_close(c);
			return false;
		}
		turn_back(c);
	}
	return false;
}

void sqlite_cursor_close(struct sqlite_cursor *c)
{
	(void)sqlite3_finalize(c->statement_or_null); /* its errors were told */
	c->statement_or_null = NULL;
}

/* Column 0 of the statement is the row's number. */
bool sqlite_is_null(const struct sqlite_cursor *c, int column)
{
	return sqlite3_column_type(c->statement_or_null, column + 1) == SQLITE_NULL;
}

struct slice sqlite_text(const struct sqlite_cursor *c, int column, struct arena *arena)
{
	const char *text = (const char *)sqlite3_column_text(c->statement_or_null, column + 1);
	if (text == NULL)
		return (struct slice){0};
	int len = sqlite3_column_bytes(c->statement_or_null, column + 1);
	struct slice value = slice_make(text, (size_t)len);
	if (slice_is_utf8(value) && slice_find_byte(value, '\0', 0) == value.len)
		return arena_copy(arena, value);
	const struct sqlite_shape *shape = &sqlite_shapes[c->table];
	import_report_add(c->r->report, IMPORT_FAILED, shape->name,
			  slice_is_present(c->key) ? c->key : SLICE("a row"),
			  "a value of \"%s\" is not UTF-8 text", shape->columns[column]);
	return (struct slice){0};
}

bool sqlite_text_is(const struct sqlite_cursor *c, int column, struct slice text)
{
	const char *own = (const char *)sqlite3_column_text(c->statement_or_null, column + 1);
	int len = sqlite3_column_bytes(c->statement_or_null, column + 1);
	return own != NULL && slice_eq(slice_make(own, (size_t)len), text);
}

int64_t sqlite_i64(const struct sqlite_cursor *c, int column, int64_t otherwise)
{
	return sqlite_is_null(c, column) ? otherwise
					 : sqlite3_column_int64(c->statement_or_null, column + 1);
}

double sqlite_double(const struct sqlite_cursor *c, int column)
{
	return sqlite3_column_double(c->statement_or_null, column + 1);
}

/* ---- what is not known ------------------------------------------------------------------------ */

/* Is `word` one of the words of `list`? */
static bool is_listed(const char *list, struct slice word)
{
	struct slice rest = slice_from_cstr(list), item;
	while (slice_next(&rest, ' ', &item)) {
		if (slice_eq(item, word))
			return true;
	}
	return false;
}

static bool is_known_column(const struct sqlite_shape *shape, struct slice column)
{
	for (size_t i = 0; i < SQLITE_COLUMNS_MAX && shape->columns[i] != NULL; i++) {
		if (slice_eq_cstr(column, shape->columns[i]))
			return true;
	}
	return is_listed(shape->others, column);
}

static void report_column(struct sqlite_reader *r, const struct sqlite_shape *shape,
			  const char *column)
{
	char *sql = sqlite3_mprintf("SELECT 1 FROM main.\"%w\" WHERE \"%w\" IS NOT NULL LIMIT 1",
				    shape->name, column);
	if (sql != NULL && sqlite_number(r, sql, (struct slice){0}) == 1)
		import_report_add(r->report, IMPORT_UNSUPPORTED, "column", slice_from_cstr(column),
				  "of the table %s: this trk does not know it", shape->name);
	sqlite3_free(sql);
}

static void report_columns(struct sqlite_reader *r, enum sqlite_table table)
{
	const struct sqlite_shape *shape = &sqlite_shapes[table];
	char sql[SQL_BYTES_MAX];
	(void)snprintf(sql, sizeof(sql), "SELECT name FROM pragma_table_info('%s')", shape->name);
	sqlite3_stmt *st = prepare(r, sql);
	while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		if (name != NULL && !is_known_column(shape, slice_from_cstr(name)))
			report_column(r, shape, name);
	}
	(void)sqlite3_finalize(st); /* what it read is told */
}

static bool is_carried(const char *name)
{
	for (size_t i = 0; i < TABLES_COUNT; i++) {
		if (strcmp(sqlite_shapes[i].name, name) == 0)
			return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(derived_tables); i++) {
		if (strcmp(derived_tables[i], name) == 0)
			return true;
	}
	return false;
}

static const char *things_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(carried_nowhere); i++) {
		if (strcmp(carried_nowhere[i].name, name) == 0)
			return carried_nowhere[i].things;
	}
	return NULL;
}

static void report_table(struct sqlite_reader *r, const char *name)
{
	char *sql = sqlite3_mprintf("SELECT count(*) FROM main.\"%w\"", name);
	int64_t count = sql == NULL ? -1 : sqlite_number(r, sql, (struct slice){0});
	const char *things = things_of(name);
	sqlite3_free(sql);
	if (count < 0)
		import_report_add(r->report, IMPORT_FAILED, "table", slice_from_cstr(name),
				  "it cannot be read: %s", sqlite3_errmsg(r->db));
	else if (count > 0 && things != NULL)
		import_report_add(r->report, IMPORT_UNSUPPORTED, "table", slice_from_cstr(name),
				  "%s (%lld): imports do not carry them", things, (long long)count);
	else if (count > 0)
		import_report_add(r->report, IMPORT_UNSUPPORTED, "table", slice_from_cstr(name),
				  "%lld rows: this trk does not know it", (long long)count);
}

void sqlite_report_unknown(struct sqlite_reader *r)
{
	for (enum sqlite_table t = 0; t < TABLES_COUNT; t++) {
		if (t != TABLE_MODEL_LINKS) /* which is TABLE_INPUTS */
			report_columns(r, t);
	}
	sqlite3_stmt *st = prepare(r, "SELECT name FROM main.sqlite_master WHERE type = 'table'"
				      " ORDER BY name");
	while (st != NULL && sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 0);
		if (name != NULL && !is_carried(name))
			report_table(r, name);
	}
	(void)sqlite3_finalize(st); /* what it read is told */
}
