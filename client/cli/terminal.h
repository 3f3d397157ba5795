/* What standard output and standard error are, how wide, and how wide texts are on them.
 *
 * Texts of others (names, values, the server's words) are printed through here, so that no control
 * character of theirs reaches a terminal. */
#ifndef CLI_TERMINAL_H
#define CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/slice.h"

enum terminal_style {
	STYLE_PLAIN,
	STYLE_BOLD,
	STYLE_DIM,
	STYLE_GREEN,
	STYLE_YELLOW,
	STYLE_RED,
	STYLE_CYAN
};

bool terminal_is(FILE *stream);
/* Columns of the terminal behind `stream`; else $COLUMNS; else 80. At least 20. */
size_t terminal_width(FILE *stream);
/* Colours: only on a terminal, and not with NO_COLOR or TERM=dumb. */
bool terminal_has_colours(FILE *stream);
/* The escape sequence that begins a style, or ends all; "" without colours. Static text. */
const char *terminal_style(FILE *stream, enum terminal_style style);

/* Well-formed UTF-8 on one line: control characters become spaces, broken bytes '?'. In the
 * arena. */
struct slice terminal_clean(struct arena *arena, struct slice text);
/* Columns that a clean text takes. */
size_t terminal_columns(struct slice clean);
/* The longest start of at most `columns` columns; when something is cut, it ends with "…". In the
 * arena. */
struct slice terminal_cut(struct arena *arena, struct slice clean, size_t columns);
/* Prints `text` cleaned and broken between words at the terminal's width, and ends the line. The
 * cursor is at column `indent`, where further lines begin, too. */
void terminal_print_wrapped(FILE *stream, struct arena *arena, size_t indent, struct slice text);
/* Prints `text` cleaned, in a style. */
void terminal_print(FILE *stream, struct arena *arena, enum terminal_style style,
		    struct slice text);

#endif
