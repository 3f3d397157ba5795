/* Owns the endpoint that shows an alias, or waits for it to move. */
#include "api/alias_get.h"

#include "api/alias_watch.h"
#include "api/api.h"
#include "api/live.h"
#include "http/target.h"
#include "limits.h"

struct get_request {
	struct opt_i64 revision, wait_ms;
};

// clang-format off
static const struct field request_fields[] = {
	FIELD_I64(struct get_request, revision, FIELD_OPTIONAL),
	FIELD_I64(struct get_request, wait_ms, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

/* The revision of `"57"`. Other ETags are none of ours. */
static bool revision_of_etag(struct slice etag, int64_t *out)
{
	etag = slice_trim(etag);
	return etag.len > 2 && etag.ptr[0] == '"' && etag.ptr[etag.len - 1] == '"' &&
	       slice_parse_i64(slice_make(etag.ptr + 1, etag.len - 2), out) && *out >= 0;
}

static bool decode(const struct http_request *http, const struct route_match *match,
		   struct arena *arena, struct alias_request *out, struct error *err)
{
	struct get_request request = {0};
	if (!target_decode(match->arguments[0], false, arena, &out->model, err) ||
	    !target_decode(match->arguments[1], false, arena, &out->alias, err) ||
	    !fields_decode_query(request_fields, http->query, arena, &request, err))
		return false;
	if (request.revision.value < 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "revision is the number in an earlier answer, or 0 for an alias "
				 "that is not there.");
	if (request.wait_ms.value < 0 || request.wait_ms.value > ALIAS_WAIT_MS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "wait_ms is 0 to %d; ask again for longer.", ALIAS_WAIT_MS_MAX);
	if (request.wait_ms.value > 0 && !request.revision.is_set)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "wait_ms needs the revision to wait for the end of.");
	out->has_revision = request.revision.is_set;
	out->revision = request.revision.value;
	out->wait_ms = request.wait_ms.value;
	if (!out->has_revision)
		out->has_revision = revision_of_etag(http_request_header(http, "If-None-Match"),
						     &out->revision);
	return true;
}

static void take_over_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match)
{
	struct alias_request request = {0};
	struct arena arena;
	struct error err;
	/* Small enough for the loop: a head holds it. */
	arena_init(&arena, JOB_ARENA_BYTES_MAX);
	if (decode(http_exchange_request(x), match, &arena, &request, &err))
		live_ask_alias_on_loop(api->live, x, &request);
	else
		api_reply_error(api, x, &err);
	arena_deinit(&arena);
}

const struct endpoint alias_get = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = take_over_on_loop,
	.summary = "Where an alias points, or wait for it to move",
};
