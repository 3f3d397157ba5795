/* Request fields: one table per request describes names, types and rules; the same table decodes JSON bodies and
 * query strings into a C struct, words MLflow's errors, and makes the OpenAPI description.
 *
 *     struct log_metric_request { struct slice run_id, key; struct opt_double value; struct opt_i64 timestamp, step; };
 *     static const struct field log_metric_fields[] = {
 *         FIELD_TEXT(struct log_metric_request, run_id, FIELD_REQUIRED),
 *         …
 *     };
 *
 * Rules (spec/mlflow-api.md §1.2, §1.5): unknown names are ignored; snake_case and lowerCamelCase are taken; null is
 * absent; int64 and double also from strings; enums by name or number; a number for a text field is an error, as is a
 * string for an array. RAW takes any value, MAP an object whose values are strings. Required means present and not ""
 * or empty; an object may be empty. Two rows of one name, side by side, take one member in two ways. Missing:
 * "Missing value for required parameter 'metrics[0].key'. See the API docs for more information about request
 * parameters." Wrong type: "Invalid value 31 for parameter 'run_id' supplied: …". */
#ifndef API_FIELDS_H
#define API_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct opt_i64 {
	bool is_set;
	int64_t value;
};
struct opt_double {
	bool is_set;
	double value;
};
struct opt_bool {
	bool is_set;
	bool value;
};
/* For FIELD_TEXTS, and for FIELD_OBJECTS (items are structs of `nested`) and FIELD_MAP (items are struct key_value). */
struct text_list {
	struct slice *items;
	size_t count;
	bool is_set;
};
struct object_list {
	void *items;
	size_t count;
	bool is_set;
};

enum field_type {
	FIELD_TYPE_TEXT,    /* struct slice, absent when not given */
	FIELD_TYPE_I64,     /* struct opt_i64 */
	FIELD_TYPE_DOUBLE,  /* struct opt_double */
	FIELD_TYPE_BOOL,    /* struct opt_bool */
	FIELD_TYPE_ENUM,    /* struct opt_i64; names in `enums` */
	FIELD_TYPE_TEXTS,   /* struct text_list */
	FIELD_TYPE_OBJECT,  /* the nested struct itself; its fields stay absent when not given */
	FIELD_TYPE_OBJECTS, /* struct object_list */
	FIELD_TYPE_MAP,     /* struct object_list of struct key_value: members of an object, in order, equal keys too */
	FIELD_TYPE_RAW,     /* struct slice: any value as compact JSON text in the arena; numbers keep their digits */
};

enum field_flags {
	FIELD_OPTIONAL = 0,
	FIELD_REQUIRED = 1,
	FIELD_IS_RUN_ID = 2, /* also accepts the name run_uuid */
};

struct field_enum {
	const char *name;
	int64_t number;
};

struct field {
	const char *name; /* snake_case, as on the wire; NULL ends a table */
	enum field_type type;
	unsigned flags;
	size_t offset;
	const struct field *nested_or_null; /* for OBJECT and OBJECTS */
	size_t nested_bytes;                /* sizeof of the nested struct */
	const struct field_enum *enums_or_null; /* ends with name NULL */
	const char *help;                   /* one line, for the OpenAPI description; may be NULL */
};

// clang-format off
#define FIELD_TEXT(s, member, flags)    {#member, FIELD_TYPE_TEXT,   flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_I64(s, member, flags)     {#member, FIELD_TYPE_I64,    flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_DOUBLE(s, member, flags)  {#member, FIELD_TYPE_DOUBLE, flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_BOOL(s, member, flags)    {#member, FIELD_TYPE_BOOL,   flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_ENUM(s, member, flags, e) {#member, FIELD_TYPE_ENUM,   flags, offsetof(s, member), NULL, 0, e, NULL}
#define FIELD_TEXTS(s, member, flags)   {#member, FIELD_TYPE_TEXTS,  flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_OBJECT(s, member, flags, n, t)  {#member, FIELD_TYPE_OBJECT,  flags, offsetof(s, member), n, sizeof(t), NULL, NULL}
#define FIELD_OBJECTS(s, member, flags, n, t) {#member, FIELD_TYPE_OBJECTS, flags, offsetof(s, member), n, sizeof(t), NULL, NULL}
#define FIELD_MAP(s, member, flags)     {#member, FIELD_TYPE_MAP,    flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELD_RAW(s, member, flags)     {#member, FIELD_TYPE_RAW,    flags, offsetof(s, member), NULL, 0, NULL, NULL}
#define FIELDS_END                      {NULL, FIELD_TYPE_TEXT, 0, 0, NULL, 0, NULL, NULL}
// clang-format on

/* Decodes a JSON body into *request (zeroed by the caller, sized for the table). Strings borrow from `body` or the
 * arena. */
MUST_CHECK bool fields_decode_json(const struct field *fields, struct slice body, struct arena *arena, void *request,
				   struct error *err);
/* Decodes a raw query string; repeated names fill lists. OBJECT, OBJECTS, MAP and RAW have no query
 * form and are ignored. */
MUST_CHECK bool fields_decode_query(const struct field *fields, struct slice query, struct arena *arena,
				    void *request, struct error *err);
/* "Missing value for required parameter '…'. See the API docs for more information about request parameters." */
bool fields_error_missing(struct error *err, const char *name);

#endif
