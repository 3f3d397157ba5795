/* What reads from the server, as code sees it that both trk and the library's watch run: JSON replies
 * and the bytes of files. Each brings its own connection. One thread.
 *
 * Errors carry the server's own sentence and code. A server that does not answer is
 * TEMPORARILY_UNAVAILABLE or REQUEST_TIMEOUT, 404 without a code of the server's NOT_FOUND, work that
 * was stopped CANCELLED. Nothing is retried.
 *
 * Replies live in an arena whose exhaustion is the caller's: its guard. Nothing here holds anything
 * else across an allocation from it. */
#ifndef CLIENT_FETCHER_H
#define CLIENT_FETCHER_H

#include <stdarg.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/json_scanner.h"
#include "src/stop.h"

struct fetch_range {
	struct slice path; /* begins with "/", encoded */
	int64_t from;	   /* first byte wanted; > 0 asks for a range */
	/* For a range: only if the file is still this one; else it comes from its start. */
	const char *etag;
	/* Called once before the first bytes: where they begin, 0 or `from`. False gives up. */
	bool (*begin)(void *context, int64_t from, struct error *err);
	bool (*bytes)(void *context, struct slice bytes, struct error *err);
	void *context;
};

struct fetcher {
	/* GET. *reply is NULL for 304 Not Modified. */
	bool (*get)(void *context, const char *path, struct arena *arena, struct json_value **reply,
		    struct error *err);
	bool (*download)(void *context, const struct fetch_range *range, struct error *err);
	void *context;
	struct stop stop;
};

/* GET of a path made like printf; arguments are already encoded. */
MUST_CHECK bool fetcher_get(const struct fetcher *f, struct arena *arena, struct json_value **reply,
			    struct error *err, const char *format, ...) PRINTF_LIKE(5, 6);
MUST_CHECK bool fetcher_getv(const struct fetcher *f, struct arena *arena,
			     struct json_value **reply, struct error *err, const char *format,
			     va_list arguments) PRINTF_LIKE(5, 0);
/* The error of an answer with a status of failure: the server's own sentence and code, else what the
 * status tells. Allocates nothing. */
bool fetcher_fail(struct error *err, const char *url, long status, struct slice body);
/* Fails with CANCELLED when the work is to stop. */
MUST_CHECK bool fetcher_check(const struct fetcher *f, struct error *err);
/* Percent-encoded for a query value, or as a path, where "/" stays. */
const char *fetcher_encode_value(struct arena *arena, struct slice value);
const char *fetcher_encode_path(struct arena *arena, struct slice path);

/* The first item of a list in a reply; go on with next_sibling_or_null. */
static inline const struct json_value *json_items(const struct json_value *list_or_null)
{
	return list_or_null == NULL ? NULL : list_or_null->first_child_or_null;
}

/* The text of a member; "" when it is missing. */
static inline struct slice json_text(const struct json_value *object_or_null, const char *key)
{
	return json_tree_string(json_tree_get(object_or_null, key), SLICE(""));
}

#endif
