/* Content types of the files that make a web page. (What users stored as artifacts: artifacts/media_type.h.) */
#ifndef API_WEB_TYPE_H
#define API_WEB_TYPE_H

#include "base/slice.h"

/* By the path's ending; "application/octet-stream" for one that is not known. Static text. */
const char *web_type_of(struct slice path);

#endif
