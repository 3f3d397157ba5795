/* Checks the bytes of a head against the strict grammar of RFC 9112, one at a time, keeping
 * none.
 *
 * The parser library forgives much (bare LF, folded lines, white space before a colon, control
 * characters); two servers that forgive differently can be made to disagree about where a
 * request ends. So nothing reaches the library that did not pass here. Cut the input anywhere,
 * the outcome is the same. The same grammar serves trailers. Pure; no memory. */
#ifndef HTTP_HEAD_SCAN_H
#define HTTP_HEAD_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum head_scan_result {
	HEAD_SCAN_MORE,   /* all bytes taken, none wrong so far */
	HEAD_SCAN_LINE,   /* the request line ended: go on with the rest */
	HEAD_SCAN_END,    /* the empty line was taken; what follows is no part of the head */
	HEAD_SCAN_BROKEN, /* head_scan_problem says why; stays */
};

struct head_scan {
	uint8_t state;
	unsigned field_count; /* header lines begun so far */
};

/* At the request line; one empty line before it is skipped (RFC 9112 §2.2). */
void head_scan_init(struct head_scan *s);
/* At the first line of a trailer section. */
void head_scan_init_trailers(struct head_scan *s);
/* Takes bytes until something is to be told; *taken_out says how many. */
enum head_scan_result head_scan_next(struct head_scan *s, struct slice bytes, size_t *taken_out);
/* Has a byte of the request line been seen? */
bool head_scan_has_begun(const struct head_scan *s);
/* A sentence for the peer; static. */
const char *head_scan_problem(const struct head_scan *s);

#endif
