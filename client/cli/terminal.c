/* Owns what is known about the terminal, and the widths of texts on it. */
#include "cli/terminal.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "base/utf8.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 20, WIDTH_MAX = 2000 };

bool terminal_is(FILE *stream)
{
	return isatty(fileno(stream)) == 1;
}

size_t terminal_width(FILE *stream)
{
	struct winsize size;
	int64_t width = 0;
	const char *columns = getenv("COLUMNS"); // NOLINT(concurrency-mt-unsafe): one thread
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	else if (columns == NULL || !slice_parse_i64(slice_from_cstr(columns), &width))
		width = 0;
	if (width <= 0 || width > WIDTH_MAX)
		return WIDTH_DEFAULT;
	return width < WIDTH_MIN ? WIDTH_MIN : (size_t)width;
}

bool terminal_has_colours(FILE *stream)
{
	const char *no_colour = getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe): one thread
	const char *term = getenv("TERM");	    // NOLINT(concurrency-mt-unsafe): one thread
	if (no_colour != NULL && no_colour[0] != '\0')
		return false;
	return term != NULL && strcmp(term, "dumb") != 0 && terminal_is(stream);
}

const char *terminal_style(FILE *stream, enum terminal_style style)
{
	static const char *const sequences[] = {
		[STYLE_PLAIN] = "\033[0m",  [STYLE_BOLD] = "\033[1m",	 [STYLE_DIM] = "\033[2m",
		[STYLE_GREEN] = "\033[32m", [STYLE_YELLOW] = "\033[33m", [STYLE_RED] = "\033[31m",
		[STYLE_CYAN] = "\033[36m",
	};
	return terminal_has_colours(stream) ? sequences[style] : "";
}

/* Bytes of the code point at the start of text, and its columns; 0 columns for what must not be
 * printed. */
static size_t next_character(struct slice text, int *columns)
{
	wchar_t wide = 0;
	mbstate_t state = {0};
	size_t len = utf8_sequence_bytes(text.ptr, text.len);
	if (len == 0) {
		*columns = -1;
		return 1;
	}
	if (len == 1) {
		*columns = (unsigned char)text.ptr[0] < 0x20 || text.ptr[0] == 0x7f ? -1 : 1;
		return 1;
	}
	*columns = mbrtowc(&wide, text.ptr, len, &state) == len ? wcwidth(wide) : 1;
	return len;
}

struct slice terminal_clean(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.len + 1, 1);
	size_t out_len = 0;
	while (text.len > 0) {
		int columns;
		size_t len = next_character(text, &columns);
		if (columns >= 0) {
			memcpy(out + out_len, text.ptr, len);
			out_len += len;
		} else {
			out[out_len++] = len == 1 && (unsigned char)text.ptr[0] < 0x80 ? ' ' : '?';
		}
		text = slice_from(text, len);
	}
	return slice_make(out, out_len);
}

size_t terminal_columns(struct slice clean)
{
	size_t total = 0;
	while (clean.len > 0) {
		int columns;
		clean = slice_from(clean, next_character(clean, &columns));
		total += columns > 0 ? (size_t)columns : 0;
	}
	return total;
}

struct slice terminal_cut(struct arena *arena, struct slice clean, size_t columns)
{
	struct slice rest = clean;
	size_t total = 0;
	if (terminal_columns(clean) <= columns)
		return clean;
	while (rest.len > 0) {
		int width;
		size_t len = next_character(rest, &width);
		if (total + (size_t)(width > 0 ? width : 0) + 1 > columns)
			break;
		total += (size_t)(width > 0 ? width : 0);
		rest = slice_from(rest, len);
	}
	return arena_concat(arena, slice_first(clean, clean.len - rest.len), SLICE("…"));
}

void terminal_print(FILE *stream, struct arena *arena, enum terminal_style style, struct slice text)
{
	struct slice clean = terminal_clean(arena, text);
	const char *begin = style == STYLE_PLAIN ? "" : terminal_style(stream, style);
	(void)fprintf(stream, "%s%.*s%s", begin, SLICE_FMT(clean),
		      begin[0] == '\0' ? "" : terminal_style(stream, STYLE_PLAIN));
}

void terminal_print_wrapped(FILE *stream, struct arena *arena, size_t indent, struct slice text)
{
	struct slice rest = terminal_clean(arena, text), word;
	size_t width = terminal_width(stream), at = indent;
	while (slice_next(&rest, ' ', &word)) {
		size_t columns = terminal_columns(word);
		if (at > indent && at + 1 + columns > width) {
			(void)fprintf(stream, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			(void)fputc(' ', stream);
			at++;
		}
		(void)fprintf(stream, "%.*s", SLICE_FMT(word));
		at += columns;
	}
	(void)fputc('\n', stream);
}
