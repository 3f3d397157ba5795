/* Owns the endpoint that follows live events. */
#include "api/events.h"

#include "api/api.h"
#include "api/live.h"
#include "limits.h"

struct events_request {
	struct slice topics, last_event_id;
};

// clang-format off
static const struct field request_fields[] = {
	FIELD_TEXT(struct events_request, topics, FIELD_REQUIRED),
	FIELD_TEXT(struct events_request, last_event_id, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool decode(struct http_exchange *x, struct arena *arena, struct live_request *out,
		   struct error *err)
{
	const struct http_request *http = http_exchange_request(x);
	struct events_request request = {0};
	if (!fields_decode_query(request_fields, http->query, arena, &request, err) ||
	    !live_topics_parse(request.topics, arena, &out->topics, err))
		return false;
	/* The header is of the latest event; the query is what the page was opened with. */
	struct slice id = http_request_header(http, "Last-Event-ID");
	if (id.len == 0)
		id = request.last_event_id;
	out->has_position = id.len > 0;
	if (out->has_position && !live_position_parse(id, &out->position))
		out->position = live_position_unknown();
	return true;
}

static void reply_head(struct api *api, struct http_exchange *x)
{
	struct http_reply reply = {.status = 200, .content_type = "text/event-stream"};
	api_reply_headers(api, x, &reply);
	http_exchange_reply(x, &reply, NULL);
	http_exchange_release(x);
}

static void follow_on_loop(struct api *api, struct http_exchange *x,
			   const struct route_match *match)
{
	struct live_request request = {0};
	struct arena arena;
	struct error err;
	(void)match;
	/* Small enough for the loop: a head holds it. */
	arena_init(&arena, JOB_ARENA_BYTES_MAX);
	if (!decode(x, &arena, &request, &err))
		api_reply_error(api, x, &err);
	else if (http_exchange_request(x)->method == HTTP_HEAD)
		reply_head(api, x);
	else
		live_follow_on_loop(api->live, x, &request);
	arena_deinit(&arena);
}

const struct endpoint events_follow = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = follow_on_loop,
	.summary = "Follow changes live",
};
