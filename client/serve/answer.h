/* What a worker answers: one line of JSON.
 *
 *     {"id": 7, "predictions": …}       {"id": 7, "error": "why not"}
 *
 * An error with id 0 is about the line that was not understood. Other members are ignored. Pure; any thread. */
#ifndef SERVE_ANSWER_H
#define SERVE_ANSWER_H

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

struct answer {
	uint64_t id;
	struct slice predictions; /* JSON, within the line; absent if there are none */
	struct slice error;	  /* a JSON string in its quotes, likewise */
	bool has_nonfinite;	  /* predictions are for plain_json_append */
};

/* INVALID_STATE says what is wrong with the line. */
MUST_CHECK bool answer_read(struct slice line, struct answer *out, struct error *err);

#endif
