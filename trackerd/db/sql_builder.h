/* SQL text put together at run time, without a way for user input to become text.
 *
 * Text enters only as literals (SQL("…")) or as the struct sql of a table row; values enter only as bound
 * parameters, numbered by the builder. Order: append text, then its value where a parameter stands:
 *
 *     sql_text(&b, SQL("SELECT run_pk FROM runs WHERE name = "));
 *     sql_value_text(&b, name);          // writes "$1" and remembers the value
 *
 * Memory is the arena's. One thread. */
#ifndef DB_SQL_BUILDER_H
#define DB_SQL_BUILDER_H

#include "base/arena.h"
#include "base/buffer.h"
#include "db/db.h"

enum { SQL_VALUES_MAX = 4096, SQL_TEXT_BYTES_MAX = 256 * 1024 };

enum sql_value_kind { SQL_VALUE_I64, SQL_VALUE_DOUBLE, SQL_VALUE_TEXT, SQL_VALUE_BLOB };

struct sql_value {
	enum sql_value_kind kind;
	int64_t i64;
	double real;
	struct slice bytes;
};

struct sql_builder {
	struct arena *arena;
	char *text;
	size_t text_len;
	size_t text_capacity;
	struct sql_value *values;
	size_t value_count;
	size_t value_capacity;
	bool too_long; /* a limit above was passed; db_prepare_built then fails with INVALID_PARAMETER_VALUE */
};

void sql_builder_init(struct sql_builder *b, struct arena *arena);
void sql_text(struct sql_builder *b, struct sql text);
/* Each writes the next parameter "$n" and remembers its value (bytes borrowed until the statement ends). */
void sql_value_i64(struct sql_builder *b, int64_t value);
void sql_value_double(struct sql_builder *b, double value);
void sql_value_text(struct sql_builder *b, struct slice value);
void sql_value_blob(struct sql_builder *b, struct slice value);
/* A decimal number we made ourselves, such as a table alias: "m" 3 → m3. */
void sql_number(struct sql_builder *b, unsigned number);
/* Appends `part` with its values renumbered behind ours. */
void sql_append(struct sql_builder *b, const struct sql_builder *part);
/* The text so far, NUL-terminated, for tests and debug logs. */
const char *sql_builder_text(struct sql_builder *b);

#endif
