/* Owns the way from CSV to the line of records that a worker reads. */
#include "serve/inputs_csv.h"

#include <inttypes.h>

#include "base/json_scanner.h"
#include "base/json_writer.h"
#include "serve/csv_scanner.h"
#include "serve/inputs.h"
#include "serve/plain_json.h"

/* What a value can be, and so what a column is: of all its values, those that are missing left out. */
enum kind { MISSING, NUMBER, BOOLEAN, TEXT };

struct column {
	struct slice key; /* JSON: its name in quotes, and a colon */
	enum kind kind;
};

struct table {
	struct column *columns;
	size_t column_count;
	struct csv_scanner records; /* behind the header */
	struct arena arena;	    /* of the columns */
	struct buffer unquoted;	    /* one field without its doubled quotes */
};

/* A decimal number: its parts without sign, point and 'e', and leading zeros of the whole part. */
struct number {
	bool is_negative, is_infinite;
	struct slice whole, fraction, exponent; /* the last one with its sign */
};

static bool check_text(struct slice body, struct error *err);
static bool read_header(struct table *t, struct error *err);
static bool read_kinds(struct table *t, struct error *err);
static void write_records(struct table *t, struct buffer *out);
static enum kind kind_of(struct slice field);
static bool read_number(struct slice field, struct number *out);
static void write_number(const struct number *n, struct buffer *out);

bool inputs_from_csv(struct slice body, uint64_t id, struct buffer *out, struct error *err)
{
	struct table t = {0};
	if (!check_text(body, err))
		return false;
	csv_scanner_init(&t.records, body);
	/* For the most columns there may be, and names that are six times as long in JSON; twice, as lists grow. */
	arena_init(&t.arena, (size_t)64 * 1024 * 1024 + body.len * 12);
	buffer_init(&t.unquoted, body.len + 1);
	bool ok = read_header(&t, err) && read_kinds(&t, err);
	if (ok) {
		buffer_printf(out, "{\"id\":%" PRIu64 ",\"records\":[", id);
		write_records(&t, out);
		buffer_append(out, SLICE("]}\n"));
		ok = buffer_check(out, "the request, written for the model,", err);
	}
	buffer_deinit(&t.unquoted);
	arena_deinit(&t.arena);
	return ok;
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool check_text(struct slice body, struct error *err)
{
	if (slice_is_utf8(body) && slice_find_byte(body, '\0', 0) == body.len)
		return true;
	return error_set(err, ERR_BAD_REQUEST, "The body is not CSV in UTF-8, without zero bytes.");
}

static bool fail(const struct csv_scanner *s, struct error *err)
{
	return error_set(err, ERR_BAD_REQUEST, "The body is not CSV: %s, in line %zu.",
			 s->error_text_or_null, s->line);
}

/* The last field with its quotes resolved; borrowed until the next one. */
static struct slice field_text(struct table *t, const struct csv_scanner *s)
{
	if (!s->has_doubled_quotes)
		return s->field;
	buffer_reset(&t->unquoted);
	for (size_t i = 0; i < s->field.len; i++) {
		buffer_append_byte(&t->unquoted, s->field.ptr[i]);
		i += s->field.ptr[i] == '"'; /* the second of two */
	}
	return buffer_slice(&t->unquoted);
}

static struct slice key_of(struct table *t, struct slice name)
{
	struct buffer key;
	struct json_writer w;
	buffer_init_in_arena(&key, &t->arena, name.len * 6 + 64);
	json_writer_init(&w, &key);
	if (name.len == 0)
		name = arena_printf(&t->arena, "Unnamed: %zu", t->column_count);
	json_string(&w, name);
	buffer_append_byte(&key, ':');
	return buffer_slice(&key);
}

static bool read_header(struct table *t, struct error *err)
{
	struct csv_scanner *s = &t->records;
	enum csv_token token;
	while ((token = csv_scan_next(s)) == CSV_FIELD) {
		if (t->column_count == INPUTS_COLUMNS_MAX)
			return error_set(err, ERR_BAD_REQUEST, "More than %d columns.",
					 INPUTS_COLUMNS_MAX);
		t->columns = arena_list_room(&t->arena, t->columns, t->column_count,
					     sizeof(*t->columns));
		t->columns[t->column_count] = (struct column){.key = key_of(t, field_text(t, s))};
		t->column_count++;
	}
	if (token == CSV_END)
		return error_set(err, ERR_BAD_REQUEST,
				 "The body has no first line with the names of the columns.");
	return token == CSV_RECORD_END || fail(s, err);
}

static void learn_kind(struct column *column, enum kind found)
{
	if (column->kind == MISSING)
		column->kind = found;
	else if (found != MISSING && found != column->kind)
		column->kind = TEXT;
}

static bool read_kinds(struct table *t, struct error *err)
{
	struct csv_scanner s = t->records;
	size_t count = 0;
	for (;;) {
		enum csv_token token = csv_scan_next(&s);
		if (token == CSV_END)
			return true;
		if (token == CSV_ERROR)
			return fail(&s, err);
		if (token == CSV_FIELD) {
			if (count < t->column_count)
				learn_kind(&t->columns[count], kind_of(s.field));
			count++;
			continue;
		}
		if (count != t->column_count)
			return error_set(err, ERR_BAD_REQUEST,
					 "The record that ends before line %zu has %zu fields; "
					 "there are %zu columns.",
					 s.line, count, t->column_count);
		count = 0;
	}
}

/* ---- values ---------------------------------------------------------------------------------- */

/* The words are those of pandas. */
static bool is_missing(struct slice field)
{
	static const char *const words[] = {"",	       "NA",	   "N/A",    "n/a",    "nan",
					    "NaN",     "-nan",	   "-NaN",   "null",   "NULL",
					    "None",    "#N/A",	   "#NA",    "<NA>",   "#N/A N/A",
					    "-1.#IND", "-1.#QNAN", "1.#IND", "1.#QNAN"};
	for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
		if (slice_eq_cstr(field, words[i]))
			return true;
	}
	return false;
}

static enum kind kind_of(struct slice field)
{
	struct number number;
	if (read_number(field, &number))
		return NUMBER;
	if (is_missing(field))
		return MISSING;
	bool is_boolean = slice_eq_ignoring_case(field, SLICE("true")) ||
			  slice_eq_ignoring_case(field, SLICE("false"));
	return is_boolean ? BOOLEAN : TEXT;
}

static struct slice take_digits(struct slice *rest)
{
	size_t count = 0;
	while (count < rest->len && rest->ptr[count] >= '0' && rest->ptr[count] <= '9')
		count++;
	struct slice digits = slice_first(*rest, count);
	*rest = slice_from(*rest, count);
	return digits;
}

/* The sign, if there is one. */
static struct slice take_sign(struct slice *rest)
{
	size_t count = rest->len > 0 && (rest->ptr[0] == '-' || rest->ptr[0] == '+');
	struct slice sign = slice_first(*rest, count);
	*rest = slice_from(*rest, count);
	return sign;
}

static bool read_number(struct slice field, struct number *out)
{
	struct slice rest = slice_trim(field);
	*out = (struct number){0};
	if (rest.len >= JSON_SCANNER_NUMBER_BYTES_MAX)
		return false;
	out->is_negative = slice_eq_cstr(take_sign(&rest), "-");
	out->is_infinite = slice_eq_ignoring_case(rest, SLICE("inf")) ||
			   slice_eq_ignoring_case(rest, SLICE("infinity"));
	if (out->is_infinite)
		return true;
	out->whole = take_digits(&rest);
	if (slice_starts_with(rest, SLICE("."))) {
		rest = slice_from(rest, 1);
		out->fraction = take_digits(&rest);
	}
	if (out->whole.len + out->fraction.len == 0)
		return false;
	while (out->whole.len > 1 && out->whole.ptr[0] == '0')
		out->whole = slice_from(out->whole, 1);
	if (rest.len > 1 && (rest.ptr[0] == 'e' || rest.ptr[0] == 'E')) {
		out->exponent = rest = slice_from(rest, 1);
		(void)take_sign(&rest); /* there need not be one */
		if (take_digits(&rest).len == 0)
			return false;
		out->exponent = slice_first(out->exponent, out->exponent.len - rest.len);
	}
	return rest.len == 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_number(const struct number *n, struct buffer *out)
{
	if (n->is_infinite) {
		buffer_append(out, plain_json_infinity(n->is_negative));
		return;
	}
	buffer_append(out, n->is_negative ? SLICE("-") : SLICE(""));
	buffer_append(out, n->whole.len > 0 ? n->whole : SLICE("0"));
	if (n->fraction.len > 0) {
		buffer_append_byte(out, '.');
		buffer_append(out, n->fraction);
	}
	if (n->exponent.len > 0) {
		buffer_append_byte(out, 'e');
		buffer_append(out, n->exponent);
	}
}

static void write_value(struct table *t, const struct csv_scanner *s, enum kind kind,
			struct buffer *out)
{
	struct number number;
	struct json_writer w;
	if (kind == NUMBER && read_number(s->field, &number)) {
		write_number(&number, out);
	} else if (is_missing(s->field)) {
		buffer_append(out, SLICE("null"));
	} else if (kind == BOOLEAN) {
		bool is_true = s->field.ptr[0] == 't' || s->field.ptr[0] == 'T';
		buffer_append(out, is_true ? SLICE("true") : SLICE("false"));
	} else {
		json_writer_init(&w, out);
		json_string(&w, field_text(t, s));
	}
}

/* All that could be wrong was found by read_kinds. */
static void write_records(struct table *t, struct buffer *out)
{
	struct csv_scanner *s = &t->records;
	size_t count = 0;
	bool is_first = true;
	enum csv_token token;
	while ((token = csv_scan_next(s)) != CSV_END && !out->failed) {
		if (token == CSV_RECORD_END) {
			buffer_append_byte(out, '}');
			count = 0;
			continue;
		}
		if (count == 0)
			buffer_append_cstr(out, is_first ? "{" : ",{");
		else
			buffer_append_byte(out, ',');
		is_first = false;
		buffer_append(out, t->columns[count].key);
		write_value(t, s, t->columns[count].kind, out);
		count++;
	}
}
