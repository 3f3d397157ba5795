/* Errors are values: a code that says what the caller may do, and a sentence for a person.
 *
 * Fallible functions return bool and take `struct error *err` as their last argument. On failure they
 * fill it once, where the sentence is known, and leave their other outputs untouched; on success they
 * do not touch it. Callers pass it on with `return false`. `err` is never NULL.
 *
 * The codes are those of the MLflow REST contract, in one table with their HTTP status. Messages name
 * the value (bounded, control characters escaped) and what was expected, and never an internal path,
 * SQL text or a pointer: those belong to the log. */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/assert.h"
#include "base/slice.h"

enum { ERROR_MESSAGE_BYTES_MAX = 1024 };

/*      code                          HTTP  who must act */
// clang-format off
#define ERROR_CODES(X) \
	X(BAD_REQUEST,                 400) /* the peer: not understandable at all */ \
	X(INVALID_PARAMETER_VALUE,     400) /* the peer */ \
	X(RESOURCE_ALREADY_EXISTS,     400) /* the peer; idempotent callers carry on */ \
	X(UNAUTHENTICATED,             401) \
	X(PERMISSION_DENIED,           403) \
	X(RESOURCE_DOES_NOT_EXIST,     404) \
	X(NOT_FOUND,                   404) \
	X(ENDPOINT_NOT_FOUND,          404) \
	X(METHOD_NOT_ALLOWED,          405) \
	X(REQUEST_TIMEOUT,             408) /* the peer was too slow */ \
	X(RESOURCE_CONFLICT,           409) /* the peer: read again, then decide */ \
	X(REQUIREMENTS_NOT_MET,        409) /* the peer: a better version, other requirements, or by force */ \
	X(PRECONDITION_FAILED,         412) \
	X(REQUEST_TOO_LARGE,           413) \
	X(RANGE_NOT_SATISFIABLE,       416) \
	X(REQUEST_LIMIT_EXCEEDED,      429) \
	X(HEADERS_TOO_LARGE,           431) \
	X(INTERNAL_ERROR,              500) /* us: a bug or a damaged database */ \
	X(INVALID_STATE,               500) \
	X(DATA_LOSS,                   500) /* the operator: a checksum does not match */ \
	X(NOT_IMPLEMENTED,             501) \
	X(TEMPORARILY_UNAVAILABLE,     503) /* nobody: try again, Retry-After says when */ \
	X(STORAGE_FULL,                507) /* the operator: make room on the disk */ \
	X(CANCELLED,                   499) /* the peer went away */
// clang-format on

enum error_code {
	ERR_NONE = 0,
#define X(name, status) ERR_##name,
	ERROR_CODES(X)
#undef X
};

struct error {
	enum error_code code;
	char message[ERROR_MESSAGE_BYTES_MAX]; /* NUL-terminated, cut at a code point */
};

/* Fills *err and returns false, so that `return error_set(err, ERR_…, "…", …);` ends a function. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* Puts "prefix: " before the message that is there; for naming the file or item at hand. */
bool error_prefix(struct error *err, const char *format, ...) PRINTF_LIKE(2, 3);
void error_clear(struct error *err);
/* "INVALID_PARAMETER_VALUE" for ERR_INVALID_PARAMETER_VALUE. Static text. */
const char *error_code_name(enum error_code code);
/* The HTTP status of the table; 200 for ERR_NONE. */
int error_http_status(enum error_code code);
/* The code whose name this is; ERR_INTERNAL_ERROR for an unknown one. */
enum error_code error_code_from_name(struct slice name);
/* Writes at most `quoted_bytes - 1` bytes of `value` to `quoted`, control characters and broken UTF-8
 * replaced by '?', with "…" at the end when it was cut. Returns `quoted`. For use in messages. */
const char *error_quote(struct slice value, char *quoted, size_t quoted_bytes);

#endif
