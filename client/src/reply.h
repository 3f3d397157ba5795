/* Reads single values out of JSON replies, without building a tree. Pure; any bytes are acceptable
 * input. */
#ifndef CLIENT_REPLY_H
#define CLIENT_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* The string or number at `path` ("run.info.run_id") as text: NUL-terminated, cut to fit. False if
 * it is not there, is of another kind, or the text before it is not JSON; then *text is "". */
bool reply_text(struct slice body, const char *path, char *text, size_t text_bytes);

#endif
