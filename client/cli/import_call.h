/* A request of an import: sent again when the server is busy or away for a moment. */
#ifndef CLI_IMPORT_CALL_H
#define CLI_IMPORT_CALL_H

#include "cli/api.h"

/* api_call (api.h), tried IMPORT_TRIES times with growing pauses, three seconds in all. Only for requests that may
 * arrive twice. */
enum { IMPORT_TRIES = 6 };
MUST_CHECK bool import_call(struct api *api, const char *method, struct slice path, struct slice json_body,
			    struct arena *arena, struct json_value **reply, struct error *err);
/* Fills a file, which is open for reading and writing, with what a GET gives, and goes back to its beginning. Tried
 * again in the same way, each time from the start. */
MUST_CHECK bool import_fetch(struct api *api, struct slice path, int fd, struct error *err);
/* Waits before the next try, if there is one: `attempt` counts from 1. False when the error is no passing one, the
 * tries are used up, or Ctrl-C was pressed. */
MUST_CHECK bool import_may_try_again(const struct error *err, unsigned attempt);

#endif
