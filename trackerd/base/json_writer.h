/* Writes JSON into a buffer, in order, without building a tree.
 *
 * The writer places commas and quotes and knows where it stands: a value where a key is due, a key
 * in an array, an unbalanced end, or nesting beyond JSON_WRITER_DEPTH_MAX are our own mistakes and
 * assert. Strings are written as UTF-8; control characters, '"' and '\' are escaped, and broken
 * UTF-8 becomes U+FFFD so that every reply is valid JSON. Doubles are the shortest text that reads
 * back as the same double; NaN and infinities are the strings "NaN", "Infinity", "-Infinity"
 * (MLflow's wire rule). int64 are JSON numbers. Running out of buffer is sticky in the buffer. */
#ifndef BASE_JSON_WRITER_H
#define BASE_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/slice.h"

enum { JSON_WRITER_DEPTH_MAX = 64 };

struct json_writer {
	struct buffer *out; /* kept until the writer is done */
	unsigned depth;
	uint64_t is_object_bits; /* bit d: level d is an object */
	uint64_t has_item_bits;  /* bit d: level d has an item; at depth 0, bit 0: the value is there */
	bool after_key;
};

void json_writer_init(struct json_writer *w, struct buffer *out);
/* Nothing open, exactly one value written. */
bool json_writer_is_complete(const struct json_writer *w);

void json_object_begin(struct json_writer *w);
void json_object_end(struct json_writer *w);
void json_array_begin(struct json_writer *w);
void json_array_end(struct json_writer *w);
void json_key(struct json_writer *w, const char *key);
void json_key_slice(struct json_writer *w, struct slice key);

void json_string(struct json_writer *w, struct slice value);
void json_int(struct json_writer *w, int64_t value);
void json_double(struct json_writer *w, double value);
void json_bool(struct json_writer *w, bool value);
void json_null(struct json_writer *w);
/* `json` is one valid JSON value, written as it is. */
void json_raw(struct json_writer *w, struct slice json);

/* key and value at once; json_put_string leaves out an absent slice (ptr NULL). */
void json_put_string(struct json_writer *w, const char *key, struct slice value_or_absent);
void json_put_cstr(struct json_writer *w, const char *key, const char *value_or_null);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_double(struct json_writer *w, const char *key, double value);
void json_put_bool(struct json_writer *w, const char *key, bool value);

#endif
