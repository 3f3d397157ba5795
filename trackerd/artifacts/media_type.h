/* What a browser is told about a file: type by extension, and a safe Content-Disposition. Pure. */
#ifndef ARTIFACTS_MEDIA_TYPE_H
#define ARTIFACTS_MEDIA_TYPE_H

#include "base/arena.h"
#include "base/slice.h"

/* Never a type that a browser would run as a page or a script of ours: HTML, SVG and scripts are
 * plain text or bytes. */
const char *media_type_of(struct slice file_name);
/* "attachment; filename=\"a.txt\"", with filename* (RFC 8187) for a name that is not plain
 * ASCII; in the arena. `file_name` is UTF-8 without control characters. */
struct slice media_type_disposition(struct slice file_name, struct arena *arena);

#endif
