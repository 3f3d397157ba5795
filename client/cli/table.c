/* Owns the layout of tables. */
#include "cli/table.h"

enum { GAP = 2, CUT_MIN = 8, COMFORT = 24, ID_SHOWN = 8 };

void table_init(struct table *t, struct arena *arena)
{
	*t = (struct table){.arena = arena};
}

/* An array of twice the room, with what was in the old one. */
static void *grown(struct arena *arena, const void *items, size_t count, size_t *capacity,
		   size_t size)
{
	*capacity = *capacity == 0 ? 16 : *capacity * 2;
	char *larger = arena_alloc(arena, *capacity, size);
	if (count > 0)
		memcpy(larger, items, count * size);
	return larger;
}

void table_column(struct table *t, struct slice title, unsigned flags)
{
	ASSERT(t->cell_count == 0);
	if (t->column_count == t->column_capacity)
		t->columns = grown(t->arena, t->columns, t->column_count, &t->column_capacity,
				   sizeof(*t->columns));
	t->columns[t->column_count++] =
		(struct table_column){.title = terminal_clean(t->arena, title), .flags = flags};
}

void table_styled_cell(struct table *t, struct slice text, enum terminal_style style)
{
	if (t->cell_count == t->cell_capacity)
		t->cells = grown(t->arena, t->cells, t->cell_count, &t->cell_capacity,
				 sizeof(*t->cells));
	t->cells[t->cell_count++] = (struct table_cell){terminal_clean(t->arena, text), style};
}

void table_cell(struct table *t, struct slice text)
{
	table_styled_cell(t, text, STYLE_PLAIN);
}

/* ---- widths ---------------------------------------------------------------------------------- */

static bool is_id(const struct table_column *c)
{
	return (c->flags & TABLE_ID) == TABLE_ID;
}

static void shorten_ids(struct table *t)
{
	for (size_t i = 0; i < t->cell_count; i++) {
		if (is_id(&t->columns[i % t->column_count]))
			t->cells[i].text = slice_first(t->cells[i].text, ID_SHOWN);
	}
}

static void measure(struct table *t)
{
	for (size_t c = 0; c < t->column_count; c++)
		t->columns[c].width = terminal_columns(t->columns[c].title);
	for (size_t i = 0; i < t->cell_count; i++) {
		struct table_column *column = &t->columns[i % t->column_count];
		size_t width = terminal_columns(t->cells[i].text);
		if (width > column->width)
			column->width = width;
	}
}

static size_t total_width(const struct table *t)
{
	size_t total = 0;
	for (size_t c = 0; c < t->column_count; c++) {
		if (!t->columns[c].is_hidden)
			total += t->columns[c].width + (total > 0 ? GAP : 0);
	}
	return total;
}

/* The widest column that may still be cut, or NULL; of those that are cut last, or of the others. */
static struct table_column *widest(struct table *t, bool is_last)
{
	struct table_column *found = NULL;
	for (size_t c = 0; c < t->column_count; c++) {
		struct table_column *column = &t->columns[c];
		bool may_be_cut = !column->is_hidden && (column->flags & TABLE_WHOLE) == 0 &&
				  ((column->flags & TABLE_LAST) != 0) == is_last &&
				  column->width > CUT_MIN;
		if (may_be_cut && (found == NULL || column->width > found->width))
			found = column;
	}
	return found;
}

/* The width that a column asks for before others are left out for it. */
static size_t modest_width(const struct table_column *c)
{
	size_t least = (c->flags & TABLE_OPTIONAL) != 0 ? CUT_MIN : COMFORT;
	return (c->flags & TABLE_WHOLE) != 0 || c->width < least ? c->width : least;
}

/* Would it fit if all were cut to their modest widths? */
static bool can_fit(const struct table *t, size_t width)
{
	size_t total = 0;
	for (size_t c = 0; c < t->column_count; c++) {
		const struct table_column *column = &t->columns[c];
		if (column->is_hidden)
			continue;
		total += modest_width(column) + (total > 0 ? GAP : 0);
	}
	return total <= width;
}

/* An optional column without any text tells nothing. */
static void hide_empty(struct table *t)
{
	for (size_t c = 0; c < t->column_count; c++) {
		bool is_empty = (t->columns[c].flags & TABLE_OPTIONAL) != 0;
		for (size_t i = c; is_empty && i < t->cell_count; i += t->column_count)
			is_empty = t->cells[i].text.len == 0;
		t->columns[c].is_hidden = is_empty;
	}
}

static size_t fit(struct table *t, size_t width)
{
	size_t hidden_count = 0;
	for (size_t c = t->column_count; c-- > 0 && !can_fit(t, width);) {
		if ((t->columns[c].flags & TABLE_OPTIONAL) != 0 && !t->columns[c].is_hidden) {
			t->columns[c].is_hidden = true;
			hidden_count++;
		}
	}
	struct table_column *column;
	while (total_width(t) > width &&
	       ((column = widest(t, false)) != NULL || (column = widest(t, true)) != NULL))
		column->width--;
	return hidden_count;
}

/* ---- printing -------------------------------------------------------------------------------- */

static void print_cell(const struct table *t, FILE *stream, size_t c, struct table_cell cell,
		       bool is_last)
{
	const struct table_column *column = &t->columns[c];
	struct slice text = terminal_cut(t->arena, cell.text, column->width);
	int padding = (int)(column->width - terminal_columns(text));
	bool is_plain = cell.style == STYLE_PLAIN || text.len == 0;
	const char *begin = is_plain ? "" : terminal_style(stream, cell.style);
	const char *end = begin[0] == '\0' ? "" : terminal_style(stream, STYLE_PLAIN);
	if ((column->flags & TABLE_RIGHT) != 0)
		(void)fprintf(stream, "%*s", padding, "");
	(void)fprintf(stream, "%s%.*s%s", begin, SLICE_FMT(text), end);
	if ((column->flags & TABLE_RIGHT) == 0 && !is_last)
		(void)fprintf(stream, "%*s", padding, "");
	(void)fprintf(stream, "%*s", is_last ? 0 : GAP, "");
}

static void print_row(const struct table *t, FILE *stream, size_t indent,
		      const struct table_cell *cells_or_null)
{
	size_t last = 0;
	for (size_t c = 0; c < t->column_count; c++)
		last = t->columns[c].is_hidden ? last : c;
	(void)fprintf(stream, "%*s", (int)indent, "");
	for (size_t c = 0; c < t->column_count; c++) {
		const struct table_column *column = &t->columns[c];
		if (!column->is_hidden)
			print_cell(t, stream, c,
				   cells_or_null != NULL
					   ? cells_or_null[c]
					   : (struct table_cell){column->title, STYLE_DIM},
				   c == last);
	}
	(void)fputc('\n', stream);
}

size_t table_print(struct table *t, FILE *stream, size_t indent)
{
	size_t width = terminal_width(stream);
	ASSERT(t->column_count > 0 && t->cell_count % t->column_count == 0);
	if (t->cell_count == 0)
		return 0;
	if (terminal_is(stream))
		shorten_ids(t);
	measure(t);
	hide_empty(t);
	size_t hidden_count = fit(t, width > indent ? width - indent : width);
	print_row(t, stream, indent, NULL);
	for (size_t i = 0; i < t->cell_count; i += t->column_count)
		print_row(t, stream, indent, t->cells + i);
	return hidden_count;
}
