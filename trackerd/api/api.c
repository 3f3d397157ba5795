/* Owns the way of a request from its head to its endpoint, and the form of error replies. */
#include "api/api.h"

#include "api/endpoint_job.h"
#include "base/json_writer.h"
#include "http/origin.h"

enum { ERROR_BODY_BYTES_MAX = 16 * 1024 };

void api_reply_headers(const struct api *api, const struct http_exchange *x,
		       struct http_reply *reply)
{
	struct slice origin = http_request_header(http_exchange_request(x), "Origin");
	http_reply_header(reply, SLICE("X-Content-Type-Options"), SLICE("nosniff"));
	if (!origin_is_listed(origin, api->allowed_origins))
		return;
	http_reply_header(reply, SLICE("Access-Control-Allow-Origin"), origin);
	http_reply_header(reply, SLICE("Access-Control-Expose-Headers"),
			  SLICE("ETag, Content-Disposition, X-Request-Id"));
	http_reply_header(reply, SLICE("Vary"), SLICE("Origin"));
}

void api_reply_error(struct api *api, struct http_exchange *x, const struct error *err)
{
	struct http_reply reply = {.status = error_http_status(err->code),
				   .content_type = "application/json"};
	struct buffer body;
	struct json_writer w;
	char methods[64]; /* until the reply is sent: headers borrow */
	buffer_init(&body, ERROR_BODY_BYTES_MAX);
	json_writer_init(&w, &body);
	json_object_begin(&w);
	json_put_cstr(&w, "error_code", error_code_name(err->code));
	json_put_cstr(&w, "message", err->message);
	json_object_end(&w);
	api_reply_headers(api, x, &reply);
	if (reply.status == 503)
		http_reply_header(&reply, SLICE("Retry-After"), SLICE("1"));
	if (reply.status == 405) {
		router_methods(api->router, http_exchange_request(x)->path, methods);
		http_reply_header(&reply, SLICE("Allow"), slice_from_cstr(methods));
	}
	http_exchange_reply(x, &reply, &body);
	http_exchange_release(x);
	buffer_deinit(&body);
}

/* Host and Origin; see origin.h. */
static bool check_browser_rules(const struct api *api, const struct http_request *request,
				struct error *err)
{
	struct slice host = http_request_header(request, "Host");
	struct slice origin = http_request_header(request, "Origin");
	if (!origin_host_is_allowed(host, api->allowed_hosts))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "Invalid Host header - possible DNS rebinding attack detected. If "
				 "the name is "
				 "right, start trackerd with --allowed-hosts.");
	bool changes = request->method != HTTP_GET && request->method != HTTP_HEAD &&
		       request->method != HTTP_OPTIONS;
	if (changes && !origin_is_allowed(origin, host, api->allowed_origins))
		return error_set(err, ERR_PERMISSION_DENIED,
				 "A page of another origin may not change anything here. If it "
				 "should, start "
				 "trackerd with --allowed-origins.");
	return true;
}

/* The browser asks before it sends a cross-origin request (CORS preflight). */
static void reply_preflight(struct api *api, struct http_exchange *x)
{
	struct http_reply reply = {.status = 204};
	char methods[64];
	router_methods(api->router, http_exchange_request(x)->path, methods);
	api_reply_headers(api, x, &reply);
	http_reply_header(&reply, SLICE("Allow"), slice_from_cstr(methods));
	if (reply.header_count > 2) { /* the origin is listed */
		http_reply_header(&reply, SLICE("Access-Control-Allow-Methods"),
				  slice_from_cstr(methods));
		http_reply_header(
			&reply, SLICE("Access-Control-Allow-Headers"),
			SLICE("Content-Type, Range, If-Match, If-None-Match, X-Content-Sha256, "
			      "X-Trackerd-User, X-Trackerd-Cause"));
		http_reply_header(&reply, SLICE("Access-Control-Max-Age"), SLICE("600"));
	}
	http_exchange_reply(x, &reply, NULL);
	http_exchange_release(x);
}

void api_handle_on_loop(struct http_exchange *x, struct api *api)
{
	const struct http_request *request = http_exchange_request(x);
	struct route_match match;
	struct error err;
	if (!check_browser_rules(api, request, &err)) {
		api_reply_error(api, x, &err);
	} else if (request->method == HTTP_OPTIONS) {
		reply_preflight(api, x);
	} else if (!router_find(api->router, request->method, request->path, &match, &err)) {
		api_reply_error(api, x, &err);
	} else if (match.route->endpoint->kind == ENDPOINT_TAKE_OVER) {
		match.route->endpoint->take_over_on_loop(api, x, &match);
	} else {
		endpoint_job_begin_on_loop(api, x, &match);
	}
}
