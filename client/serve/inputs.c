/* Owns the shapes of requests for predictions, and the line that they become. */
#include "serve/inputs.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/json_scanner.h"
#include "serve/plain_json.h"

/* A member of the body: the text of its value, absent if there is none. */
struct shapes {
	struct slice split, records, instances, inputs, params;
};

static bool read_shapes(struct slice body, struct shapes *out, struct error *err);
static bool write_shape(const struct shapes *shapes, struct buffer *out, struct error *err);
static bool write_split(struct slice split, struct buffer *out, struct error *err);
static bool write_row(struct slice row, const struct slice *columns, size_t column_count,
		      size_t row_index, struct buffer *out, struct error *err);
static bool write_list(struct slice list, const char *name, bool must_be_records,
		       struct buffer *out, struct error *err);
static bool write_columns(struct slice columns, struct buffer *out, struct error *err);

void inputs_probe(uint64_t id, struct buffer *out)
{
	buffer_printf(out, "{\"id\":%" PRIu64 ",\"probe\":true}\n", id);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool bad(struct error *err, const char *sentence)
{
	return error_set(err, ERR_BAD_REQUEST, "%s", sentence);
}

/* The text of the next value: an item of a list, or what follows a key. False at the end of the level that the
 * scanner is in. The text was scanned before: there are no errors in it. */
static bool next_value(struct json_scanner *s, struct slice *out)
{
	struct slice text = s->text;
	size_t from = s->offset;
	while (from < text.len &&
	       (text.ptr[from] == ' ' || text.ptr[from] == '\n' || text.ptr[from] == '\t' ||
		text.ptr[from] == '\r' || text.ptr[from] == ','))
		from++;
	enum json_token token = json_scan_next(s);
	if (token == JSON_ARRAY_END || token == JSON_OBJECT_END)
		return false;
	bool is_level = token == JSON_ARRAY_BEGIN || token == JSON_OBJECT_BEGIN;
	ASSERT(token != JSON_ERROR && token != JSON_END);
	if (is_level && !json_scan_skip(s))
		ASSERT(false);
	*out = slice_make(text.ptr + from, s->offset - from);
	return true;
}

/* The next key, in its quotes. */
static bool next_key(struct json_scanner *s, struct slice *out)
{
	if (json_scan_next(s) != JSON_KEY)
		return false;
	*out = slice_make(s->raw.ptr - 1, s->raw.len + 2);
	return true;
}

/* A scanner within the list or object. */
static struct json_scanner enter(struct slice value)
{
	struct json_scanner s;
	json_scanner_init(&s, value);
	s.takes_any_number = true;
	(void)json_scan_next(&s); /* its bracket */
	return s;
}

static bool is_list(struct slice value)
{
	return value.len > 0 && value.ptr[0] == '[';
}

static bool is_object(struct slice value)
{
	return value.len > 0 && value.ptr[0] == '{';
}

/* Checks all of the text once, so that whatever reads parts of it again meets no error. */
static bool check_text(struct slice body, bool *is_plain_out, struct error *err)
{
	struct json_scanner s;
	enum json_token token;
	json_scanner_init(&s, body);
	s.takes_any_number = true;
	do {
		token = json_scan_next(&s);
	} while (token != JSON_END && token != JSON_ERROR);
	*is_plain_out = !s.has_nonfinite;
	return token == JSON_END ||
	       error_set(err, ERR_BAD_REQUEST, "The body is not JSON: %s, at byte %zu.",
			 s.error_text_or_null, s.offset);
}

static bool read_shapes(struct slice body, struct shapes *out, struct error *err)
{
	const struct {
		const char *quoted;
		struct slice *value;
	} rows[] = {{"\"dataframe_split\"", &out->split},
		    {"\"dataframe_records\"", &out->records},
		    {"\"instances\"", &out->instances},
		    {"\"inputs\"", &out->inputs},
		    {"\"params\"", &out->params}};
	struct slice trimmed = slice_trim(body), key, value;
	size_t shape_count = 0;
	*out = (struct shapes){0};
	if (!is_object(trimmed))
		return bad(err, "The body must be a JSON object with one of the members "
				"dataframe_split, dataframe_records, instances and inputs.");
	struct json_scanner s = enter(trimmed);
	while (next_key(&s, &key)) {
		(void)next_value(&s, &value); /* after a key there is one */
		for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
			if (!slice_eq_cstr(key, rows[i].quoted))
				continue;
			if (slice_is_present(*rows[i].value))
				return error_set(err, ERR_BAD_REQUEST, "The body has %s twice.",
						 rows[i].quoted);
			*rows[i].value = value;
			shape_count += rows[i].value != &out->params;
		}
	}
	if (shape_count != 1)
		return error_set(err, ERR_BAD_REQUEST,
				 "The body must have exactly one of the members dataframe_split, "
				 "dataframe_records, instances and inputs; it has %zu of them.",
				 shape_count);
	return !slice_is_present(out->params) || is_object(out->params) ||
	       bad(err, "params must be an object.");
}

/* ---- writing --------------------------------------------------------------------------------- */

/* JSON on one line: line breaks are only between its tokens. */
static void append_value(struct buffer *out, struct slice value)
{
	char *at = buffer_reserve(out, value.len);
	if (at == NULL)
		return;
	memcpy(at, value.ptr, value.len);
	for (size_t i = 0; i < value.len; i++) {
		if (at[i] == '\n' || at[i] == '\r')
			at[i] = ' ';
	}
	buffer_commit(out, value.len);
}

static bool write_line(struct slice body, uint64_t id, struct buffer *out, struct error *err)
{
	struct shapes shapes;
	if (!read_shapes(body, &shapes, err))
		return false;
	buffer_printf(out, "{\"id\":%" PRIu64 ",", id);
	if (!write_shape(&shapes, out, err))
		return false;
	if (slice_is_present(shapes.params)) {
		buffer_append(out, SLICE(",\"params\":"));
		append_value(out, shapes.params);
	}
	buffer_append(out, SLICE("}\n"));
	return buffer_check(out, "the request, written for the model,", err);
}

bool inputs_from_json(struct slice body, uint64_t id, struct buffer *out, struct error *err)
{
	bool is_plain;
	struct buffer plain;
	if (!check_text(body, &is_plain, err))
		return false;
	if (is_plain)
		return write_line(body, id, out, err);
	buffer_init(&plain, body.len * 2); /* null is a byte longer than NaN */
	plain_json_append(body, &plain);
	bool ok = buffer_check(&plain, "the request", err) &&
		  write_line(buffer_slice(&plain), id, out, err);
	buffer_deinit(&plain);
	return ok;
}

static bool write_shape(const struct shapes *shapes, struct buffer *out, struct error *err)
{
	if (slice_is_present(shapes->split))
		return write_split(shapes->split, out, err);
	if (slice_is_present(shapes->records))
		return write_list(shapes->records, "dataframe_records", true, out, err);
	if (slice_is_present(shapes->instances))
		return write_list(shapes->instances, "instances", false, out, err);
	if (is_list(shapes->inputs))
		return write_list(shapes->inputs, "inputs", false, out, err);
	return write_columns(shapes->inputs, out, err);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static bool are_all_objects(struct slice list, size_t *count_out)
{
	struct json_scanner s = enter(list);
	struct slice item;
	bool all = true;
	*count_out = 0;
	while (all && next_value(&s, &item)) {
		all = is_object(item);
		*count_out += 1;
	}
	return all;
}

static bool write_list(struct slice list, const char *name, bool must_be_records,
		       struct buffer *out, struct error *err)
{
	size_t count;
	if (!is_list(list))
		return error_set(err, ERR_BAD_REQUEST, "%s must be a list.", name);
	bool are_records = are_all_objects(list, &count);
	if (must_be_records && !are_records)
		return error_set(err, ERR_BAD_REQUEST, "Item %zu of %s is no object.", count - 1,
				 name);
	bool is_named = are_records && (count > 0 || must_be_records);
	buffer_append_cstr(out, is_named ? "\"records\":" : "\"inputs\":");
	append_value(out, list);
	return true;
}

/* ---- split ----------------------------------------------------------------------------------- */

/* Names of columns as keys: numbers get quotes. */
static bool read_columns(struct slice list, struct arena *arena, struct slice **columns_out,
			 size_t *count_out, struct error *err)
{
	struct json_scanner s = enter(list);
	struct slice item, *columns = NULL;
	size_t count = 0;
	while (next_value(&s, &item)) {
		bool is_number = item.ptr[0] == '-' || (item.ptr[0] >= '0' && item.ptr[0] <= '9');
		if (item.ptr[0] != '"' && !is_number)
			return error_set(err, ERR_BAD_REQUEST,
					 "Column %zu of dataframe_split has no name.", count);
		if (count == INPUTS_COLUMNS_MAX)
			return error_set(err, ERR_BAD_REQUEST, "More than %d columns.",
					 INPUTS_COLUMNS_MAX);
		columns = arena_list_room(arena, columns, count, sizeof(*columns));
		columns[count++] =
			is_number ? arena_printf(arena, "\"%.*s\"", SLICE_FMT(item)) : item;
	}
	*columns_out = columns;
	*count_out = count;
	return true;
}

static bool write_rows(struct slice columns_text, struct slice rows, struct arena *arena,
		       struct buffer *out, struct error *err)
{
	struct slice *columns = NULL, row;
	size_t column_count = 0, index = 0;
	if (!read_columns(columns_text, arena, &columns, &column_count, err))
		return false;
	struct json_scanner s = enter(rows);
	buffer_append(out, SLICE("\"records\":["));
	while (!out->failed && next_value(&s, &row)) {
		if (!write_row(row, columns, column_count, index, out, err))
			return false;
		index++;
	}
	buffer_append_byte(out, ']');
	return true;
}

static bool write_split(struct slice split, struct buffer *out, struct error *err)
{
	struct slice columns = {0}, rows = {0}, key, value;
	struct arena arena;
	if (!is_object(split))
		return bad(err, "dataframe_split must be an object with columns and data.");
	struct json_scanner s = enter(split);
	while (next_key(&s, &key)) {
		(void)next_value(&s, &value); /* after a key there is one */
		if (slice_eq_cstr(key, "\"columns\""))
			columns = value;
		else if (slice_eq_cstr(key, "\"data\""))
			rows = value;
	}
	if (!is_list(columns) || !is_list(rows))
		return bad(err, "dataframe_split must have the lists columns and data.");
	/* A slice, and a number in quotes, for each column; twice for the list that grows. */
	arena_init(&arena, (size_t)64 * 1024 * 1024);
	bool ok = write_rows(columns, rows, &arena, out, err);
	arena_deinit(&arena);
	return ok;
}

static bool write_row(struct slice row, const struct slice *columns, size_t column_count,
		      size_t row_index, struct buffer *out, struct error *err)
{
	if (!is_list(row))
		return error_set(err, ERR_BAD_REQUEST, "Row %zu of dataframe_split is no list.",
				 row_index);
	struct json_scanner s = enter(row);
	struct slice cell;
	size_t count = 0;
	buffer_append_cstr(out, row_index > 0 ? ",{" : "{");
	for (; next_value(&s, &cell) && !out->failed; count++) {
		if (count == column_count)
			return error_set(err, ERR_BAD_REQUEST,
					 "Row %zu of dataframe_split has more than the %zu cells "
					 "of its columns.",
					 row_index, column_count);
		if (count > 0)
			buffer_append_byte(out, ',');
		append_value(out, columns[count]);
		buffer_append_byte(out, ':');
		append_value(out, cell);
	}
	buffer_append_byte(out, '}');
	return out->failed || count == column_count ||
	       error_set(err, ERR_BAD_REQUEST,
			 "Row %zu of dataframe_split has %zu cells; there are %zu columns.",
			 row_index, count, column_count);
}

/* ---- columns --------------------------------------------------------------------------------- */

struct column {
	struct slice key; /* in its quotes */
	struct json_scanner cells;
};

/* How many columns of one length; 0 if it is anything else. */
static size_t count_columns(struct slice object, size_t *row_count_out)
{
	size_t count = 0, rows;
	struct slice key, value, cell;
	if (!is_object(object))
		return 0;
	struct json_scanner s = enter(object);
	while (next_key(&s, &key)) {
		(void)next_value(&s, &value);
		if (!is_list(value) || count == INPUTS_COLUMNS_MAX)
			return 0;
		struct json_scanner cells = enter(value);
		for (rows = 0; next_value(&cells, &cell);)
			rows++;
		if (count > 0 && rows != *row_count_out)
			return 0;
		*row_count_out = rows;
		count++;
	}
	return count;
}

static void write_records(struct column *columns, size_t column_count, size_t row_count,
			  struct buffer *out)
{
	struct slice cell;
	buffer_append(out, SLICE("\"records\":["));
	for (size_t row = 0; row < row_count && !out->failed; row++) {
		buffer_append_cstr(out, row > 0 ? ",{" : "{");
		for (size_t i = 0; i < column_count; i++) {
			(void)next_value(&columns[i].cells, &cell); /* counted */
			if (i > 0)
				buffer_append_byte(out, ',');
			append_value(out, columns[i].key);
			buffer_append_byte(out, ':');
			append_value(out, cell);
		}
		buffer_append_byte(out, '}');
	}
	buffer_append_byte(out, ']');
}

static bool write_columns(struct slice value, struct buffer *out, struct error *err)
{
	size_t row_count = 0, count = count_columns(value, &row_count), used = 0;
	struct slice key, cells;
	if (count == 0) {
		buffer_append(out, SLICE("\"inputs\":"));
		append_value(out, value);
		return true;
	}
	struct column *columns = calloc(count, sizeof(*columns));
	if (columns == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "Out of memory.");
	struct json_scanner s = enter(value);
	for (; next_key(&s, &key) && next_value(&s, &cells); used++)
		columns[used] = (struct column){key, enter(cells)};
	write_records(columns, count, row_count, out);
	free(columns);
	return true;
}
