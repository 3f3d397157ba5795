/* Owns the grammar of CSV that is read. */
#include "serve/csv_scanner.h"

enum state { AT_RECORD, BEHIND_FIELD, FAILED };

static enum csv_token fail(struct csv_scanner *s, const char *text);
static void skip_blank_lines(struct csv_scanner *s);
static bool skip_line_break(struct csv_scanner *s);
static enum csv_token scan_field(struct csv_scanner *s);
static enum csv_token scan_quoted(struct csv_scanner *s);

void csv_scanner_init(struct csv_scanner *s, struct slice text)
{
	const struct slice mark = SLICE("\xEF\xBB\xBF");
	*s = (struct csv_scanner){.text = text, .line = 1, .state = AT_RECORD};
	if (slice_starts_with(text, mark))
		s->offset = mark.len;
}

static bool is_at_end(const struct csv_scanner *s)
{
	return s->offset == s->text.len;
}

enum csv_token csv_scan_next(struct csv_scanner *s)
{
	switch ((enum state)s->state) {
	case AT_RECORD:
		skip_blank_lines(s);
		return is_at_end(s) ? CSV_END : scan_field(s);
	case BEHIND_FIELD:
		if (is_at_end(s) || skip_line_break(s)) {
			s->state = AT_RECORD;
			return CSV_RECORD_END;
		}
		s->offset++; /* the comma */
		return scan_field(s);
	case FAILED:
		break;
	}
	return CSV_ERROR;
}

static enum csv_token fail(struct csv_scanner *s, const char *text)
{
	s->state = FAILED;
	s->error_text_or_null = text;
	return CSV_ERROR;
}

static bool skip_line_break(struct csv_scanner *s)
{
	char byte = s->text.ptr[s->offset];
	if (byte != '\n' && byte != '\r')
		return false;
	s->offset++;
	if (byte == '\r' && !is_at_end(s) && s->text.ptr[s->offset] == '\n')
		s->offset++;
	s->line++;
	return true;
}

static void skip_blank_lines(struct csv_scanner *s)
{
	size_t start;
	do {
		start = s->offset;
		while (!is_at_end(s) &&
		       (s->text.ptr[s->offset] == ' ' || s->text.ptr[s->offset] == '\t'))
			s->offset++;
	} while (!is_at_end(s) && skip_line_break(s));
	if (!is_at_end(s))
		s->offset = start; /* blanks that begin a field */
}

static enum csv_token scan_field(struct csv_scanner *s)
{
	const char *ptr = s->text.ptr;
	size_t at = s->offset;
	s->has_doubled_quotes = false;
	s->state = BEHIND_FIELD;
	if (!is_at_end(s) && ptr[at] == '"')
		return scan_quoted(s);
	while (at < s->text.len && ptr[at] != ',' && ptr[at] != '\n' && ptr[at] != '\r') {
		if (ptr[at] == '"')
			return fail(s, "a quote within a field that is not in quotes");
		at++;
	}
	s->field = slice_make(ptr + s->offset, at - s->offset);
	s->offset = at;
	return CSV_FIELD;
}

/* At the opening quote. */
static enum csv_token scan_quoted(struct csv_scanner *s)
{
	const char *ptr = s->text.ptr;
	size_t start = ++s->offset;
	for (;;) {
		if (is_at_end(s))
			return fail(s, "a field in quotes does not end");
		if (ptr[s->offset] == '"') {
			if (s->offset + 1 == s->text.len || ptr[s->offset + 1] != '"')
				break;
			s->has_doubled_quotes = true;
			s->offset += 2;
		} else if (!skip_line_break(s)) {
			s->offset++;
		}
	}
	s->field = slice_make(ptr + start, s->offset - start);
	s->offset++;
	if (!is_at_end(s) && ptr[s->offset] != ',' && ptr[s->offset] != '\n' &&
	    ptr[s->offset] != '\r')
		return fail(s, "text behind a field in quotes");
	return CSV_FIELD;
}
