/* Owns the order, the commas and the escapes of JSON that is written. */
#include "base/json_writer.h"

#include <math.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/double_text.h"
#include "base/utf8.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

static void value_begin(struct json_writer *w);
static void level_begin(struct json_writer *w, char bracket, bool is_object);
static void level_end(struct json_writer *w, char bracket, bool is_object);
static void comma_if_due(struct json_writer *w);
static void append_quoted(struct buffer *out, struct slice value);
static size_t plain_bytes(struct slice s, size_t from);
static void append_escape(struct buffer *out, unsigned char byte);

void json_writer_init(struct json_writer *w, struct buffer *out)
{
	*w = (struct json_writer){.out = out};
}

bool json_writer_is_complete(const struct json_writer *w)
{
	return w->depth == 0 && (w->has_item_bits & 1) != 0;
}

void json_object_begin(struct json_writer *w)
{
	level_begin(w, '{', true);
}

void json_object_end(struct json_writer *w)
{
	level_end(w, '}', true);
}

void json_array_begin(struct json_writer *w)
{
	level_begin(w, '[', false);
}

void json_array_end(struct json_writer *w)
{
	level_end(w, ']', false);
}

void json_key(struct json_writer *w, const char *key)
{
	json_key_slice(w, slice_from_cstr(key));
}

void json_key_slice(struct json_writer *w, struct slice key)
{
	ASSERT(w->depth > 0 && (w->is_object_bits >> (w->depth - 1) & 1) && !w->after_key);
	comma_if_due(w);
	append_quoted(w->out, key);
	buffer_append_byte(w->out, ':');
	w->after_key = true;
}

void json_string(struct json_writer *w, struct slice value)
{
	value_begin(w);
	append_quoted(w->out, value);
}

void json_int(struct json_writer *w, int64_t value)
{
	char text[24];
	size_t at = sizeof(text);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		text[--at] = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest > 0);
	if (value < 0)
		text[--at] = '-';
	value_begin(w);
	buffer_append(w->out, slice_make(text + at, sizeof(text) - at));
}

void json_double(struct json_writer *w, double value)
{
	value_begin(w);
	if (!isfinite(value)) {
		buffer_append_cstr(w->out, isnan(value) ? "\"NaN\""
					   : value > 0	? "\"Infinity\""
							: "\"-Infinity\"");
		return;
	}
	char text[DOUBLE_TEXT_BYTES_MAX];
	buffer_append(w->out, slice_make(text, double_text(value, text)));
}

void json_bool(struct json_writer *w, bool value)
{
	json_raw(w, value ? SLICE("true") : SLICE("false"));
}

void json_null(struct json_writer *w)
{
	json_raw(w, SLICE("null"));
}

void json_raw(struct json_writer *w, struct slice json)
{
	ASSERT(json.len > 0);
	value_begin(w);
	buffer_append(w->out, json);
}

void json_put_string(struct json_writer *w, const char *key, struct slice value_or_absent)
{
	if (!slice_is_present(value_or_absent))
		return;
	json_key(w, key);
	json_string(w, value_or_absent);
}

void json_put_cstr(struct json_writer *w, const char *key, const char *value_or_null)
{
	json_put_string(w, key, slice_from_cstr(value_or_null));
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_int(w, value);
}

void json_put_double(struct json_writer *w, const char *key, double value)
{
	json_key(w, key);
	json_double(w, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}

static void value_begin(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (w->depth == 0)
		ASSERT((w->has_item_bits & 1) == 0); /* one value only */
	else
		ASSERT((w->is_object_bits >> (w->depth - 1) & 1) == 0); /* a key is due */
	comma_if_due(w);
}

/* Counts the item that begins here. */
static void comma_if_due(struct json_writer *w)
{
	uint64_t bit = UINT64_C(1) << (w->depth == 0 ? 0 : w->depth - 1);
	if (w->depth == 0) {
		w->has_item_bits |= 1;
		return;
	}
	if (w->has_item_bits & bit)
		buffer_append_byte(w->out, ',');
	w->has_item_bits |= bit;
}

static void level_begin(struct json_writer *w, char bracket, bool is_object)
{
	ASSERT(w->depth < JSON_WRITER_DEPTH_MAX);
	value_begin(w);
	uint64_t bit = UINT64_C(1) << w->depth;
	w->is_object_bits = is_object ? w->is_object_bits | bit : w->is_object_bits & ~bit;
	w->has_item_bits &= ~bit;
	w->depth++;
	buffer_append_byte(w->out, bracket);
}

static void level_end(struct json_writer *w, char bracket, bool is_object)
{
	ASSERT(w->depth > 0 && !w->after_key);
	ASSERT((w->is_object_bits >> (w->depth - 1) & 1) == (is_object ? 1u : 0u));
	w->depth--;
	if (w->depth == 0)
		w->has_item_bits |= 1;
	buffer_append_byte(w->out, bracket);
}

static void append_quoted(struct buffer *out, struct slice value)
{
	buffer_append_byte(out, '"');
	for (size_t at = 0; at < value.len;) {
		size_t plain = plain_bytes(value, at);
		buffer_append(out, slice_make(value.ptr + at, plain));
		at += plain;
		if (at < value.len)
			append_escape(out, (unsigned char)value.ptr[at++]);
	}
	buffer_append_byte(out, '"');
}

/* Bytes from `from` on that are written as they are: up to an escape or to broken UTF-8. */
static size_t plain_bytes(struct slice s, size_t from)
{
	size_t at = from;
	while (at < s.len) {
		unsigned char byte = (unsigned char)s.ptr[at];
		if (byte < 0x20 || byte == '"' || byte == '\\')
			break;
		size_t bytes = byte < 0x80 ? 1 : utf8_sequence_bytes(s.ptr + at, s.len - at);
		if (bytes == 0)
			break;
		at += bytes;
	}
	return at - from;
}

static void append_escape(struct buffer *out, unsigned char byte)
{
	switch (byte) {
	case '"':
		buffer_append_cstr(out, "\\\"");
		break;
	case '\\':
		buffer_append_cstr(out, "\\\\");
		break;
	case '\n':
		buffer_append_cstr(out, "\\n");
		break;
	case '\r':
		buffer_append_cstr(out, "\\r");
		break;
	case '\t':
		buffer_append_cstr(out, "\\t");
		break;
	default:
		if (byte < 0x20)
			buffer_printf(out, "\\u%04x", byte);
		else
			buffer_append_cstr(out, REPLACEMENT);
	}
}
