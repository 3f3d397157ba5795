/* The web page and its files, served from the binary (web_embedded.h). */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "api/endpoint.h"

extern const struct endpoint page_file; /* GET /{path...} */

#endif
