/* Owns the reading of replies and files over a transport. */
#include "src/transport_fetcher.h"

#include <stdio.h>

void transport_fetcher_init(struct transport_fetcher *t, struct transport *transport,
			    const char *url)
{
	*t = (struct transport_fetcher){.transport = transport};
	(void)snprintf(t->url, sizeof(t->url), "%s", url); /* cut is fine */
	buffer_init(&t->reply.body, TRANSPORT_REPLY_BYTES_MAX);
}

void transport_fetcher_clean(struct transport_fetcher *t)
{
	buffer_deinit(&t->reply.body);
}

static bool perform(struct transport_fetcher *t, const struct transport_call *call,
		    struct error *err)
{
	transport_fetcher_clean(t);
	if (!transport_perform(t->transport, call, &t->reply, err)) {
		buffer_init(&t->reply.body, TRANSPORT_REPLY_BYTES_MAX);
		return false;
	}
	int status = t->reply.status;
	return status / 100 == 2 || (status == 304 && call->range_or_null == NULL) ||
	       fetcher_fail(err, t->url, status, buffer_slice(&t->reply.body));
}

static bool get(void *context, const char *path, struct arena *arena, struct json_value **reply,
		struct error *err)
{
	struct transport_fetcher *t = context;
	const struct transport_call call = {.method = "GET", .path = path};
	bool ok = perform(t, &call, err);
	if (ok && t->reply.status == 304)
		*reply = NULL;
	else if (ok) /* the texts of the tree are parts of the copy */
		ok = json_tree_parse(arena_copy(arena, buffer_slice(&t->reply.body)), arena, reply,
				     err);
	transport_fetcher_clean(t);
	return ok;
}

static bool download(void *context, const struct fetch_range *range, struct error *err)
{
	struct transport_fetcher *t = context;
	struct buffer path; /* terminated */
	buffer_init(&path, range->path.len + 1);
	buffer_append(&path, range->path);
	buffer_append_byte(&path, '\0');
	bool ok = buffer_check(&path, "the path of a file", err);
	if (ok) {
		const struct transport_call call = {
			.method = "GET", .path = buffer_slice(&path).ptr, .range_or_null = range};
		ok = perform(t, &call, err);
	}
	buffer_deinit(&path);
	transport_fetcher_clean(t);
	return ok;
}

struct fetcher transport_fetcher_over(struct transport_fetcher *t, struct stop stop)
{
	return (struct fetcher){.get = get, .download = download, .context = t, .stop = stop};
}
