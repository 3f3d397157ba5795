/* A table for people, sized to the terminal: columns are as wide as their widest cell, the widest
 * are cut when the whole does not fit, and optional columns that still find no room are left out,
 * from the right. All in the arena. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/slice.h"
#include "cli/terminal.h"

enum table_column_flags {
	TABLE_RIGHT = 1,    /* numbers */
	TABLE_WHOLE = 2,    /* never cut */
	TABLE_OPTIONAL = 4, /* may be left out */
	/* An id of 32 digits: its first eight on a terminal, which is all a command needs; else
	 * whole. */
	TABLE_ID = 8 | TABLE_WHOLE,
	TABLE_LAST = 16, /* cut only when the others are cut already */
};

struct table_column {
	struct slice title;
	unsigned flags;
	size_t width;
	enum terminal_style style;
	bool is_hidden;
};

struct table_cell {
	struct slice text; /* clean */
	enum terminal_style style;
};

struct table {
	struct arena *arena;
	struct table_column *columns;
	size_t column_count, column_capacity;
	struct table_cell *cells; /* row after row */
	size_t cell_count, cell_capacity;
};

void table_init(struct table *t, struct arena *arena);
/* All columns before the first cell. */
void table_column(struct table *t, struct slice title, unsigned flags);
/* The next cell, row after row; texts are cleaned. */
void table_cell(struct table *t, struct slice text);
void table_styled_cell(struct table *t, struct slice text, enum terminal_style style);
/* Prints title and rows, indented by `indent` columns. Returns how many columns found no room.
 * Nothing is printed for a table without rows. */
size_t table_print(struct table *t, FILE *stream, size_t indent);

#endif
