/* Owns SQL text put together at run time, and the values that go with it. */
#include "db/sql_builder.h"

#include <stdio.h>

static void append_text(struct sql_builder *b, struct slice text);
static void append_parameter(struct sql_builder *b, size_t number);
static void append_value(struct sql_builder *b, struct sql_value value);
static void remember_value(struct sql_builder *b, struct sql_value value);

void sql_builder_init(struct sql_builder *b, struct arena *arena)
{
	*b = (struct sql_builder){.arena = arena};
}

void sql_text(struct sql_builder *b, struct sql text)
{
	append_text(b, slice_from_cstr(text.text));
}

void sql_value_i64(struct sql_builder *b, int64_t value)
{
	append_value(b, (struct sql_value){.kind = SQL_VALUE_I64, .i64 = value});
}

void sql_value_double(struct sql_builder *b, double value)
{
	append_value(b, (struct sql_value){.kind = SQL_VALUE_DOUBLE, .real = value});
}

void sql_value_text(struct sql_builder *b, struct slice value)
{
	append_value(b, (struct sql_value){.kind = SQL_VALUE_TEXT, .bytes = value});
}

void sql_value_blob(struct sql_builder *b, struct slice value)
{
	append_value(b, (struct sql_value){.kind = SQL_VALUE_BLOB, .bytes = value});
}

void sql_number(struct sql_builder *b, unsigned number)
{
	char digits[16];
	int len = snprintf(digits, sizeof(digits), "%u", number);
	ASSERT(len > 0);
	append_text(b, slice_make(digits, (size_t)len));
}

void sql_append(struct sql_builder *b, const struct sql_builder *part)
{
	size_t values_before = b->value_count;
	struct slice rest = slice_make(part->text, part->text_len);
	if (part->too_long)
		b->too_long = true;
	/* Literals hold no '$' of their own, so that each one is a parameter of the part. */
	while (rest.len > 0 && !b->too_long) {
		size_t dollar = slice_find_byte(rest, '$', 0);
		append_text(b, slice_first(rest, dollar));
		rest = slice_from(rest, dollar);
		if (rest.len == 0)
			break;
		size_t end = 1;
		uint64_t number = 0;
		while (end < rest.len && rest.ptr[end] >= '0' && rest.ptr[end] <= '9')
			end++;
		bool is_number = slice_parse_u64(slice_make(rest.ptr + 1, end - 1), &number);
		ASSERT(is_number && number >= 1 && number <= part->value_count);
		append_parameter(b, values_before + number);
		rest = slice_from(rest, end);
	}
	for (size_t i = 0; i < part->value_count; i++)
		remember_value(b, part->values[i]);
}

const char *sql_builder_text(struct sql_builder *b)
{
	return b->text == NULL ? "" : b->text;
}

static void append_text(struct sql_builder *b, struct slice text)
{
	if (b->too_long || text.len > SQL_TEXT_BYTES_MAX - b->text_len) {
		b->too_long = true;
		return;
	}
	size_t needed = b->text_len + text.len + 1;
	if (needed > b->text_capacity) {
		size_t capacity = needed < 512 ? 1024 : needed * 2;
		char *grown = ARENA_NEW(b->arena, char, capacity);
		if (b->text_len > 0)
			memcpy(grown, b->text, b->text_len);
		b->text = grown;
		b->text_capacity = capacity;
	}
	if (text.len > 0)
		memcpy(b->text + b->text_len, text.ptr, text.len);
	b->text_len += text.len;
	b->text[b->text_len] = '\0';
}

static void append_parameter(struct sql_builder *b, size_t number)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "$%zu", number);
	ASSERT(len > 0);
	append_text(b, slice_make(text, (size_t)len));
}

static void append_value(struct sql_builder *b, struct sql_value value)
{
	remember_value(b, value);
	if (!b->too_long)
		append_parameter(b, b->value_count);
}

static void remember_value(struct sql_builder *b, struct sql_value value)
{
	if (b->too_long || b->value_count == SQL_VALUES_MAX) {
		b->too_long = true;
		return;
	}
	if (b->value_count == b->value_capacity) {
		size_t capacity = b->value_capacity == 0 ? 16 : b->value_capacity * 2;
		struct sql_value *grown = ARENA_NEW(b->arena, struct sql_value, capacity);
		if (b->value_count > 0)
			memcpy(grown, b->values, b->value_count * sizeof(*grown));
		b->values = grown;
		b->value_capacity = capacity;
	}
	b->values[b->value_count++] = value;
}
