/* Owns the connection of the CLI, through libcurl. */
#include "cli/api.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "cli/cli.h"
#include "src/transport.h"

#define USER_HEADER  "X-Trackerd-User: "
#define CAUSE_HEADER "X-Trackerd-Cause: "

enum {
	USER_BYTES_MAX = 256,
	CAUSE_BYTES_MAX = 512,
	CONNECT_TIMEOUT_MS = 5000,
	CALL_TIMEOUT_MS = 120000,
	STALL_SECONDS = 60,
	REPLY_BYTES_MAX = 1024 * 1024 * 1024
};

struct api {
	CURL *curl;
	char *url;		      /* without a slash at the end */
	const char *if_match_or_null; /* of the next call */
	char curl_error[CURL_ERROR_SIZE];
	/* Headers; "" before api_identify. */
	char user[sizeof(USER_HEADER) + USER_BYTES_MAX];
	char cause[sizeof(CAUSE_HEADER) + CAUSE_BYTES_MAX];
};

/* One exchange. */
struct exchange {
	struct api *api;
	struct buffer reply; /* of JSON calls, and of errors */
	const struct api_upload *upload;
	const struct fetch_range *download;
	bool begun;
	struct error *err; /* set by a callback that gave up */
	bool gave_up;
	struct json_value *refusal_or_null; /* what the server says when it refuses */
};

bool api_open(const char *url, struct api **out, struct error *err)
{
	size_t len = strlen(url);
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "\"%s\" is no address of a server; it begins with http:// "
				 "or https://",
				 url);
	struct api *api = calloc(1, sizeof(*api));
	bool ok = api != NULL && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (ok) {
		api->curl = curl_easy_init();
		api->url = strndup(url, url[len - 1] == '/' ? len - 1 : len);
		ok = api->curl != NULL && api->url != NULL;
	}
	if (!ok) {
		api_close(api);
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	}
	*out = api;
	return true;
}

void api_close(struct api *api)
{
	if (api == NULL)
		return;
	curl_easy_cleanup(api->curl);
	free(api->url);
	free(api);
}

static void make_header(char *header, size_t bytes_max, const char *name, const char *value)
{
	size_t len = strlen(name);
	memcpy(header, name, len);
	transport_header_text(slice_from_cstr(value), header + len, bytes_max - len);
	if (header[len] == '\0')
		header[0] = '\0';
}

void api_identify(struct api *api, const char *user, const char *cause)
{
	make_header(api->user, sizeof(api->user), USER_HEADER, user);
	make_header(api->cause, sizeof(api->cause), CAUSE_HEADER, cause);
}

/* The headers of whatever may change something. NULL without any; what finds no memory is left out. */
static struct curl_slist *own_headers(const struct api *api)
{
	const char *const headers[] = {api->user, api->cause};
	struct curl_slist *list = NULL;
	for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
		struct curl_slist *longer =
			headers[i][0] != '\0' ? curl_slist_append(list, headers[i]) : NULL;
		list = longer != NULL ? longer : list;
	}
	return list;
}

/* ---- callbacks ------------------------------------------------------------------------------- */

static long status_of(const struct exchange *e)
{
	long status = 0;
	(void)curl_easy_getinfo(e->api->curl, CURLINFO_RESPONSE_CODE, &status); /* 0 if unknown */
	return status;
}

static bool is_success(const struct exchange *e)
{
	long status = status_of(e);
	return status >= 200 && status < 300;
}

static bool is_unmodified(const struct exchange *e)
{
	return status_of(e) == 304 && e->download == NULL;
}

static bool take_download(struct exchange *e, struct slice bytes)
{
	const struct fetch_range *d = e->download;
	if (!e->begun) {
		e->begun = true;
		if (!d->begin(d->context, status_of(e) == 206 ? d->from : 0, e->err))
			return false;
	}
	return d->bytes(d->context, bytes, e->err);
}

static size_t receive(char *bytes, size_t size, size_t count, void *context)
{
	struct exchange *e = context;
	struct slice piece = slice_make(bytes, size * count);
	if (e->download != NULL && is_success(e)) {
		e->gave_up = !take_download(e, piece);
		return e->gave_up ? 0 : piece.len;
	}
	buffer_append(&e->reply, piece);
	return e->reply.failed ? 0 : piece.len;
}

static size_t send_file(char *bytes, size_t size, size_t count, void *context)
{
	const struct exchange *e = context;
	ssize_t len = read(e->upload->fd, bytes, size * count);
	return len < 0 ? CURL_READFUNC_ABORT : (size_t)len;
}

/* Keeps the ETag of an upload's reply. */
static size_t receive_header(char *bytes, size_t size, size_t count, void *context)
{
	const struct exchange *e = context;
	struct slice value = slice_make(bytes, size * count), name;
	if (e->upload == NULL || !slice_next(&value, ':', &name) ||
	    !slice_eq_ignoring_case(name, SLICE("etag")))
		return size * count;
	value = slice_trim(value);
	if (value.len >= 2 && value.ptr[0] == '"' && value.ptr[value.len - 1] == '"')
		value = slice_make(value.ptr + 1, value.len - 2);
	(void)snprintf(e->upload->etag_out, API_ETAG_BYTES, "%.*s", SLICE_FMT(value));
	return size * count;
}

/* Called all the time, by turns with the transfer: here Ctrl-C is noticed. */
static int progressed(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		      curl_off_t up)
{
	const struct exchange *e = context;
	(void)down_total, (void)down, (void)up_total;
	if (cli_is_interrupted())
		return 1;
	if (e->upload != NULL && e->upload->progress != NULL)
		e->upload->progress(e->upload->context, up);
	return 0;
}

/* ---- one exchange ---------------------------------------------------------------------------- */

static const char *why(const struct api *api, CURLcode code)
{
	return api->curl_error[0] != '\0' ? api->curl_error : curl_easy_strerror(code);
}

static bool fail_unanswered(struct exchange *e, CURLcode code)
{
	const struct api *api = e->api;
	if (e->gave_up)
		return false;
	if (cli_is_interrupted())
		return cli_fail_interrupted(e->err);
	if (e->reply.failed)
		return error_set(e->err, ERR_REQUEST_TOO_LARGE, "the reply of %s is too large",
				 api->url);
	if (code == CURLE_PARTIAL_FILE || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
	    code == CURLE_GOT_NOTHING)
		return error_set(e->err, ERR_TEMPORARILY_UNAVAILABLE,
				 "the connection to %s broke: %s", api->url, why(api, code));
	if (code == CURLE_OPERATION_TIMEDOUT)
		return error_set(e->err, ERR_REQUEST_TIMEOUT, "%s did not answer in time",
				 api->url);
	return error_set(e->err, ERR_TEMPORARILY_UNAVAILABLE,
			 "%s cannot be reached: %s. Is trackerd running there? --url or TRK_URL "
			 "names another address.",
			 api->url, why(api, code));
}

/* The server's sentence, or what the status tells when the body is none of ours. */
static bool fail_answered(struct exchange *e, struct arena *arena)
{
	struct error ignored;
	struct json_value *tree;
	struct slice body = buffer_slice(&e->reply);
	if (json_tree_parse(arena_copy(arena, body), arena, &tree, &ignored))
		e->refusal_or_null = tree;
	return fetcher_fail(e->err, e->api->url, status_of(e), body);
}

static void set_common(struct exchange *e, const char *method, const char *url)
{
	struct api *api = e->api;
	CURL *curl = api->curl;
	api->curl_error[0] = '\0';
	curl_easy_reset(curl);
	/* None of these options can fail with arguments of these types. */
	(void)curl_easy_setopt(curl, CURLOPT_URL, url);
	(void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	(void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, api->curl_error);
	(void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "trk/" TRK_VERSION);
	/* "a/../b" goes as it is, for the server to refuse; it must not become "b" on the way. */
	(void)curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	(void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, e);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, receive_header);
	(void)curl_easy_setopt(curl, CURLOPT_HEADERDATA, e);
	(void)curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progressed);
	(void)curl_easy_setopt(curl, CURLOPT_XFERINFODATA, e);
}

/* Long transfers have no end time; they end when nothing moves. */
static void set_patience(CURL *curl)
{
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
}

static bool perform(struct exchange *e, struct arena *arena)
{
	CURLcode code = curl_easy_perform(e->api->curl);
	if (code != CURLE_OK)
		return fail_unanswered(e, code);
	return is_success(e) || is_unmodified(e) || fail_answered(e, arena);
}

static const char *url_of(struct api *api, struct slice path, struct arena *arena)
{
	return arena_cstr(arena, arena_printf(arena, "%s%.*s", api->url, SLICE_FMT(path)));
}

static bool read_reply(struct exchange *e, struct arena *arena, struct json_value **reply)
{
	struct slice text = buffer_slice(&e->reply);
	return json_tree_parse(text.len == 0 ? SLICE("{}") : arena_copy(arena, text), arena, reply,
			       e->err);
}

void api_if_match(struct api *api, const char *revision_or_null)
{
	api->if_match_or_null = revision_or_null;
}

bool api_call(struct api *api, const char *method, struct slice path, struct slice json_body,
	      struct arena *arena, struct json_value **reply, struct error *err)
{
	struct exchange e = {.api = api, .err = err};
	struct curl_slist *headers = own_headers(api);
	char condition[API_ETAG_BYTES + 16];
	buffer_init(&e.reply, REPLY_BYTES_MAX);
	set_common(&e, method, url_of(api, path, arena));
	(void)curl_easy_setopt(api->curl, CURLOPT_TIMEOUT_MS, (long)CALL_TIMEOUT_MS);
	if (slice_is_present(json_body)) {
		headers = curl_slist_append(headers, "Content-Type: application/json");
		(void)curl_easy_setopt(api->curl, CURLOPT_POSTFIELDS, json_body.ptr);
		(void)curl_easy_setopt(api->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				       (curl_off_t)json_body.len);
	}
	if (api->if_match_or_null != NULL) {
		(void)snprintf(condition, sizeof(condition), "If-Match: \"%.*s\"", API_ETAG_BYTES,
			       api->if_match_or_null);
		headers = curl_slist_append(headers, condition);
		api->if_match_or_null = NULL;
	}
	(void)curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, headers);
	bool ok = perform(&e, arena);
	if (!ok || is_unmodified(&e))
		*reply = e.refusal_or_null;
	else
		ok = read_reply(&e, arena, reply);
	curl_slist_free_all(headers);
	buffer_deinit(&e.reply);
	return ok;
}

bool api_upload(struct api *api, const struct api_upload *upload, struct arena *arena,
		struct json_value **reply, struct error *err)
{
	struct exchange e = {.api = api, .upload = upload, .err = err};
	char digest[128];
	if (lseek(upload->fd, 0, SEEK_SET) != 0)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "the file to upload cannot be read from its start");
	upload->etag_out[0] = '\0';
	buffer_init(&e.reply, REPLY_BYTES_MAX);
	set_common(&e, "PUT", url_of(api, upload->path, arena));
	set_patience(api->curl);
	(void)snprintf(digest, sizeof(digest), "X-Content-Sha256: %s", upload->sha256);
	struct curl_slist *headers = curl_slist_append(own_headers(api), digest);
	(void)curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(api->curl, CURLOPT_UPLOAD, 1L);
	(void)curl_easy_setopt(api->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)upload->bytes);
	(void)curl_easy_setopt(api->curl, CURLOPT_READFUNCTION, send_file);
	(void)curl_easy_setopt(api->curl, CURLOPT_READDATA, &e);
	bool ok = perform(&e, arena) && read_reply(&e, arena, reply);
	curl_slist_free_all(headers);
	buffer_deinit(&e.reply);
	return ok;
}

/* An empty file has no bytes to begin with. */
static bool finish_download(struct exchange *e)
{
	return e->begun || e->download->begin(e->download->context, 0, e->err);
}

bool api_download(struct api *api, const struct fetch_range *range, struct error *err)
{
	struct exchange e = {.api = api, .download = range, .err = err};
	struct curl_slist *headers = NULL;
	struct arena arena;
	char text[160];
	arena_init(&arena, 64 * 1024 * 1024);
	buffer_init(&e.reply, REPLY_BYTES_MAX);
	set_common(&e, "GET", url_of(api, range->path, &arena));
	set_patience(api->curl);
	if (range->from > 0) {
		(void)snprintf(text, sizeof(text), "%lld-", (long long)range->from);
		(void)curl_easy_setopt(api->curl, CURLOPT_RANGE, text);
		(void)snprintf(text, sizeof(text), "If-Range: \"%s\"", range->etag);
		headers = curl_slist_append(NULL, text);
		(void)curl_easy_setopt(api->curl, CURLOPT_HTTPHEADER, headers);
	}
	bool ok = perform(&e, &arena) && finish_download(&e);
	curl_slist_free_all(headers);
	buffer_deinit(&e.reply);
	arena_deinit(&arena);
	return ok;
}
