/* JSON as Python writes it unless it is told otherwise, as JSON that everybody reads.
 *
 * NaN becomes null, as data frames write a value that is missing. Infinity and -Infinity become 1e999 and -1e999:
 * numbers by the grammar, and infinite to all that read them as doubles (Python, JavaScript, strtod). Pure. */
#ifndef SERVE_PLAIN_JSON_H
#define SERVE_PLAIN_JSON_H

#include "base/buffer.h"

/* One of the two, for whoever writes JSON. */
struct slice plain_json_infinity(bool is_negative);
/* Appends one value; its text was scanned before (json_scanner with takes_any_number). */
void plain_json_append(struct slice text, struct buffer *out);

#endif
