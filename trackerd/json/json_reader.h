/* Reads request bodies into a tree; the only module that knows cJSON.
 *
 * json_read first runs json_scanner over the text (well-formed UTF-8, depth, trailing text, \u0000,
 * numbers that fit), then lets cJSON build the tree in the arena. Numbers keep their text, so that
 * int64 beyond 2^53 are exact. A body that is a JSON string holding an object is decoded once more
 * (some MLflow clients encode twice). Empty text reads as {}.
 *
 * The tree is immutable and dies with the arena. Thread-safe as long as arenas are not shared (cJSON's
 * hooks are global: they reach the arena through a thread-local). */
#ifndef JSON_JSON_READER_H
#define JSON_JSON_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum json_type {
	JSON_TYPE_ABSENT,
	JSON_TYPE_NULL,
	JSON_TYPE_BOOL,
	JSON_TYPE_NUMBER,
	JSON_TYPE_STRING,
	JSON_TYPE_ARRAY,
	JSON_TYPE_OBJECT,
};

/* A handle to a node: pass by value. All functions take an absent node and answer "absent". */
struct json_node {
	const void *item_or_null; /* a cJSON item */
};

/* Call once before threads start: installs cJSON's hooks. */
void json_reader_setup(void);
/* Fails with BAD_REQUEST naming the byte offset and reason. Borrows `text` for the life of the tree. */
MUST_CHECK bool json_read(struct slice text, struct arena *arena, struct json_node *out,
			  struct error *err);

enum json_type json_node_type(struct json_node node);
/* Case-sensitive; the last of equal names, as protobuf's JSON parser does. */
struct json_node json_node_member(struct json_node object, struct slice name);
/* Children of an object or array: first, then next; absent at the end. */
struct json_node json_node_first(struct json_node parent);
struct json_node json_node_next(struct json_node child);
struct slice json_node_key(struct json_node child);
size_t json_node_count(struct json_node parent);

struct slice json_node_string(struct json_node node); /* STRING's bytes; absent otherwise */
bool json_node_bool(struct json_node node);
double json_node_double(struct json_node node);
/* Exact, or false if the NUMBER is not an integer in range ("1e3" and "3.0" are integers). */
MUST_CHECK bool json_node_i64(struct json_node node, int64_t *out);
/* The node printed as compact JSON into the arena, cut to `bytes_max` with "…"; for messages and for
 * storing sub-documents as they came. */
struct slice json_node_print(struct json_node node, struct arena *arena, size_t bytes_max);

#endif
