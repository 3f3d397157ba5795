/* A strict pull scanner for JSON text (RFC 8259): no allocation, no recursion, no tree.
 *
 * It checks what cJSON does not: well-formed UTF-8, no trailing text, no "\u0000", no lone surrogate,
 * nesting up to JSON_SCANNER_DEPTH_MAX, numbers that fit a double and are not longer than
 * JSON_SCANNER_NUMBER_BYTES_MAX (cJSON reads no further). The daemon runs it over each body
 * before cJSON sees it (json_reader.h); the client library and the CLI read replies with it.
 *
 * With takes_any_number, set after init, it also takes what other writers call numbers: the words NaN, Infinity and
 * -Infinity (JSON_NUMBER, and has_nonfinite is set), and numbers that no double holds.
 *
 * Use: init, then json_scan_next until JSON_END or JSON_ERROR. `token` fields are valid until the next
 * call. Borrows the text for its life. */
#ifndef BASE_JSON_SCANNER_H
#define BASE_JSON_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum { JSON_SCANNER_DEPTH_MAX = 64, JSON_SCANNER_NUMBER_BYTES_MAX = 63 };

enum json_token {
	JSON_ERROR, /* scanner->error_text and ->offset say what and where; stays */
	JSON_END,   /* one whole value was read; stays */
	JSON_OBJECT_BEGIN,
	JSON_OBJECT_END,
	JSON_ARRAY_BEGIN,
	JSON_ARRAY_END,
	JSON_KEY,    /* raw: between the quotes, escapes not yet resolved */
	JSON_STRING, /* raw: likewise */
	JSON_NUMBER, /* raw: the number's text */
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json_scanner {
	struct slice text;
	size_t offset;
	const char *error_text_or_null;
	struct slice raw; /* of the last KEY, STRING or NUMBER */
	bool has_escape;  /* raw contains a backslash */
	bool takes_any_number;
	bool has_nonfinite; /* one of the three words has come */
	unsigned depth;
	uint64_t is_object_bits;
	unsigned char state; /* private */
};

void json_scanner_init(struct json_scanner *s, struct slice text);
enum json_token json_scan_next(struct json_scanner *s);
/* After an OBJECT_BEGIN or ARRAY_BEGIN: skips to behind its end; after a KEY: skips its value.
 * False on an error in the text. */
MUST_CHECK bool json_scan_skip(struct json_scanner *s);
/* The last KEY or STRING with its escapes resolved; in the arena only when there were some, else a
 * part of the text. */
struct slice json_scan_text(const struct json_scanner *s, struct arena *arena);

/* A small tree for readers of replies (client/): built in the arena in one go, immutable. */
enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_NUMBER,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT,
};

struct json_value {
	enum json_kind kind;
	bool boolean;
	struct slice key;   /* resolved, when the parent is an object */
	struct slice text;  /* STRING: resolved; NUMBER: its text; else the raw text of the whole value */
	struct json_value *first_child_or_null;
	struct json_value *next_sibling_or_null;
	size_t child_count;
};

/* *out lives in the arena. Fails with BAD_REQUEST naming offset and reason. Uses arena_alloc. */
MUST_CHECK bool json_tree_parse(struct slice text, struct arena *arena, struct json_value **out,
				struct error *err);
/* The member of that name; NULL if `object_or_null` is NULL, is no object, or has none. First one wins. */
const struct json_value *json_tree_get(const struct json_value *object_or_null, const char *key);
/* Walks nested objects: "info.run_id". */
const struct json_value *json_tree_path(const struct json_value *object_or_null, const char *path);
/* Readers with a default for absent or wrong types. Numbers are also taken from strings, and the
 * strings NaN, Infinity and -Infinity are doubles (MLflow's wire rule). */
struct slice json_tree_string(const struct json_value *value_or_null, struct slice otherwise);
int64_t json_tree_i64(const struct json_value *value_or_null, int64_t otherwise);
double json_tree_double(const struct json_value *value_or_null, double otherwise);
bool json_tree_bool(const struct json_value *value_or_null, bool otherwise);

#endif
