/* Reads MLflow's tables out of a SQLite file, whatever version of MLflow made it: columns that a table does not have
 * read as NULL, tables that are not there are empty.
 *
 * Tables and columns are looked at as they are, not by version number. A list is read by a cursor; where a page of
 * the file is damaged, it goes on from the other end of the list, and the report is told. Texts that are not UTF-8
 * are told and absent. The file is opened read-only and in one transaction: what is read is one state of it.
 *
 * The only module of the client that knows SQLite. One thread. */
#ifndef CLI_SQLITE_READER_H
#define CLI_SQLITE_READER_H

#include "cli/import_report.h"

enum sqlite_table {
	TABLE_EXPERIMENTS,
	TABLE_EXPERIMENT_TAGS,
	TABLE_RUNS,
	TABLE_TAGS,
	TABLE_PARAMS,
	TABLE_METRICS,
	TABLE_DATASETS,
	TABLE_INPUTS,
	TABLE_MODEL_LINKS, /* the table of inputs again, by where its rows come from */
	TABLE_INPUT_TAGS,
	TABLE_LOGGED_MODELS,
	TABLE_LOGGED_MODEL_TAGS,
	TABLE_LOGGED_MODEL_PARAMS,
	TABLE_LOGGED_MODEL_METRICS,
	TABLE_MODELS,
	TABLE_MODEL_TAGS,
	TABLE_VERSIONS,
	TABLE_VERSION_TAGS,
	TABLE_ALIASES,
	TABLES_COUNT,
};

enum { SQLITE_COLUMNS_MAX = 16 };

/* A table of MLflow. */
struct sqlite_shape {
	const char *name;
	const char *columns[SQLITE_COLUMNS_MAX]; /* those that are read, in the order of a cursor; ended by NULL */
	const char *others;  /* those that hold nothing to bring over, separated by spaces */
	const char *key;     /* the column by which rows are picked */
};
extern const struct sqlite_shape sqlite_shapes[TABLES_COUNT];

struct sqlite_reader;

/* Opens the file and checks that it is MLflow's. Fails with a sentence that names what it is instead. Gives *out. */
MUST_CHECK bool sqlite_reader_open(const char *path, struct import_report *report, struct sqlite_reader **out,
				   struct error *err);
void sqlite_reader_close(struct sqlite_reader *r_or_null);

MUST_CHECK bool sqlite_has_column(const struct sqlite_reader *r, enum sqlite_table table, const char *column);
/* Rows of a table, or of those whose key is `key_or_absent`; 0 when it cannot be counted. */
int64_t sqlite_row_count(struct sqlite_reader *r, enum sqlite_table table, struct slice key_or_absent);
/* One number of a statement of our own, with up to one parameter; -1 when it cannot be had. */
int64_t sqlite_number(struct sqlite_reader *r, const char *sql, struct slice parameter_or_absent);
/* Tells the report which tables and columns with rows this program does not know, and which it knows and has no
 * place for. */
void sqlite_report_unknown(struct sqlite_reader *r);

/* A walk over the rows of a table whose key is a value, in the order in which they were made. Zeroed at birth. */
struct sqlite_cursor {
	struct sqlite_reader *r;
	enum sqlite_table table;
	struct slice key;     /* borrowed until close; absent: all rows */
	int64_t last_row;
	bool is_backwards;    /* on the way back from the end, after damage */
	void *statement_or_null;
};

void sqlite_cursor_open(struct sqlite_cursor *c, struct sqlite_reader *r, enum sqlite_table table,
			struct slice key_or_absent);
bool sqlite_cursor_next(struct sqlite_cursor *c);
void sqlite_cursor_close(struct sqlite_cursor *c);

/* Columns of the row at hand, by their place in the shape. Texts are in the arena; absent for NULL. */
bool sqlite_is_null(const struct sqlite_cursor *c, int column);
struct slice sqlite_text(const struct sqlite_cursor *c, int column, struct arena *arena);
/* Is the text this? Without a copy. */
bool sqlite_text_is(const struct sqlite_cursor *c, int column, struct slice text);
int64_t sqlite_i64(const struct sqlite_cursor *c, int column, int64_t otherwise);
double sqlite_double(const struct sqlite_cursor *c, int column);

#endif
