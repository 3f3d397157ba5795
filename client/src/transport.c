/* Owns the connection to the server: libcurl, its timeouts, and breaking off from another
 * thread. */
#include "src/transport.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/fetcher.h"
#include "trk.h"

enum {
	POLL_MS = 1000,
	/* Longer waits that a server asks for are cut: somebody may be waiting in a flush. */
	RETRY_AFTER_MS_MAX = 5 * 60 * 1000,
};

struct transport {
	CURL *easy;
	CURLM *multi;
	char *url;	     /* without a slash at the end */
	char shown_url[128]; /* without user and password: for sentences */
	int64_t connect_timeout_ms;
	int64_t request_timeout_ms;
	atomic_bool is_cancelled;
	char error_text[CURL_ERROR_SIZE];
	/* Of the exchange at hand: */
	struct transport_reply *reply_or_null;
	const struct transport_call *call_or_null;
	int64_t upload_offset;
	bool is_range_begun, has_given_up;
	struct error *err_or_null; /* where a range says why it gave up */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void);
static bool check_url(const char *url, struct error *err);
static void show_url(struct transport *t);
static bool set_up(struct transport *t, const struct transport_call *call,
		   struct curl_slist *headers);
static struct curl_slist *make_headers(const struct transport_call *call);
static void set_patience(struct transport *t);
static CURLcode run(struct transport *t);
static bool finish_range(struct transport *t);
static size_t take_body_cb(char *bytes, size_t size, size_t count, void *context);
static size_t take_header_cb(char *bytes, size_t size, size_t count, void *context);
static size_t give_body_cb(char *bytes, size_t size, size_t count, void *context);
static int seek_body_cb(void *context, curl_off_t offset, int origin);
static void encode(struct slice text, const char *kept, struct buffer *out);

bool transport_open(const struct transport_options *options, struct transport **out,
		    struct error *err)
{
	if (!check_url(options->url, err))
		return false;
	(void)pthread_once(&curl_once, init_curl);
	struct transport *t = calloc(1, sizeof *t);
	if (t == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	atomic_init(&t->is_cancelled, false);
	t->url = strdup(options->url);
	t->connect_timeout_ms = options->connect_timeout_ms;
	t->request_timeout_ms = options->request_timeout_ms;
	t->easy = curl_easy_init();
	t->multi = curl_multi_init();
	if (t->url == NULL || t->easy == NULL || t->multi == NULL) {
		transport_close(t);
		return error_set(err, ERR_REQUEST_TOO_LARGE, "no memory for HTTP");
	}
	for (size_t len = strlen(t->url); len > 0 && t->url[len - 1] == '/'; len--)
		t->url[len - 1] = '\0';
	show_url(t);
	*out = t;
	return true;
}

void transport_close(struct transport *t)
{
	if (t == NULL)
		return;
	if (t->easy != NULL)
		curl_easy_cleanup(t->easy);
	if (t->multi != NULL)
		(void)curl_multi_cleanup(t->multi); /* no handle is in it */
	free(t->url);
	free(t);
}

bool transport_perform(struct transport *t, const struct transport_call *call,
		       struct transport_reply *reply, struct error *err)
{
	if (atomic_load(&t->is_cancelled))
		return error_set(err, ERR_CANCELLED, "broken off");
	*reply = (struct transport_reply){.status = 0, .retry_after_ms = -1};
	buffer_init(&reply->body, TRANSPORT_REPLY_BYTES_MAX);
	t->reply_or_null = reply;
	t->call_or_null = call;
	t->upload_offset = 0;
	t->is_range_begun = t->has_given_up = false;
	t->err_or_null = err;
	t->error_text[0] = '\0';
	struct curl_slist *headers = make_headers(call);
	CURLcode code = headers != NULL && set_up(t, call, headers) ? run(t) : CURLE_OUT_OF_MEMORY;
	long status = 0;
	if (code == CURLE_OK)
		(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(headers);
	reply->status = (int)status;
	if (code == CURLE_OK && status > 0 && finish_range(t))
		return true;
	buffer_deinit(&reply->body);
	if (t->has_given_up)
		return false;
	if (atomic_load(&t->is_cancelled))
		return error_set(err, ERR_CANCELLED, "broken off");
	return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "%s: %s", t->shown_url,
			 t->error_text[0] != '\0' ? t->error_text : curl_easy_strerror(code));
}

void transport_cancel(struct transport *t)
{
	atomic_store(&t->is_cancelled, true);
	(void)curl_multi_wakeup(
		t->multi); /* if that fails, the poll ends by itself within POLL_MS */
}

void transport_header_text(struct slice text, char *out, size_t out_bytes)
{
	text = slice_first(text, out_bytes - 1);
	while (!slice_is_utf8(text))
		text.len--;
	(void)snprintf(out, out_bytes, "%.*s", SLICE_FMT(text));
	for (char *c = out; *c != '\0'; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
}

void transport_encode_path(struct slice path, struct buffer *out)
{
	encode(path, "-._~/", out);
}

void transport_encode_value(struct slice value, struct buffer *out)
{
	encode(value, "-._~", out);
}

static void init_curl(void)
{
	/* Never undone: other parts of the program may use libcurl too. If it fails, every handle
	 * will. */
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool check_url(const char *url, struct error *err)
{
	char quoted[256];
	struct slice text = slice_from_cstr(url);
	if (slice_starts_with(text, SLICE("http://")) && text.len > strlen("http://"))
		return true;
	if (slice_starts_with(text, SLICE("https://")) && text.len > strlen("https://"))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "the address '%s' is not http://… or https://…",
			 error_quote(text, quoted, sizeof quoted));
}

static void show_url(struct transport *t)
{
	const char *host = strstr(t->url, "://") + 3; /* check_url found it */
	const char *at = strchr(host, '@');
	if (at == NULL || (size_t)(at - host) > strcspn(host, "/"))
		at = host - 1;
	(void)snprintf(t->shown_url, sizeof t->shown_url, "%.*s%s", (int)(host - t->url), t->url,
		       at + 1);
}

static bool set_up(struct transport *t, const struct transport_call *call,
		   struct curl_slist *headers)
{
	struct buffer url;
	buffer_init(&url, 64 * 1024);
	buffer_printf(&url, "%s%s", t->url, call->path);
	buffer_append_byte(&url, '\0');
	CURL *easy = t->easy;
	curl_easy_reset(easy); /* keeps the connection */
	bool ok = !url.failed &&
		  curl_easy_setopt(easy, CURLOPT_URL, buffer_slice(&url).ptr) == CURLE_OK;
	buffer_deinit(&url);
	ok = ok && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK;
	/* Or libcurl would fold "..", and ask for another path than the one that was checked. */
	ok = ok && curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_USERAGENT, "libtrk/" TRK_VERSION) == CURLE_OK;
	ok = ok && curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, call->method) == CURLE_OK;
	/* Setting plain numbers and pointers cannot fail on a handle of this version. */
	(void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error_text);
	(void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)t->connect_timeout_ms);
	(void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body_cb);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header_cb);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	if (call->is_upload) {
		(void)curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE,
				       (curl_off_t)call->upload_bytes);
		(void)curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body_cb);
		(void)curl_easy_setopt(easy, CURLOPT_READDATA, t);
		(void)curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body_cb);
		(void)curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
		set_patience(t);
	} else if (call->range_or_null != NULL) {
		set_patience(t);
	} else {
		(void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->request_timeout_ms);
		if (call->content_type != NULL) {
			(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body.ptr);
			(void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
					       (curl_off_t)call->body.len);
		}
	}
	return ok;
}

/* Long transfers have no end time; they end when nothing moves. */
static void set_patience(struct transport *t)
{
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME,
			       (long)(t->request_timeout_ms + 999) / 1000);
}

static struct curl_slist *append(struct curl_slist *list, const char *line)
{
	struct curl_slist *longer = list == NULL ? NULL : curl_slist_append(list, line);
	if (longer == NULL)
		curl_slist_free_all(list);
	return longer;
}

static struct curl_slist *make_headers(const struct transport_call *call)
{
	char line[512];
	const struct fetch_range *range = call->range_or_null;
	struct curl_slist *list = curl_slist_append(NULL, "Expect:"); /* saves a round trip */
	if (call->content_type != NULL) {
		(void)snprintf(line, sizeof line, "Content-Type: %s", call->content_type);
		list = append(list, line);
	}
	if (call->user_or_null != NULL && call->user_or_null[0] != '\0') {
		(void)snprintf(line, sizeof line, "X-Trackerd-User: %s", call->user_or_null);
		list = append(list, line);
	}
	if (call->sha256_or_null != NULL) {
		(void)snprintf(line, sizeof line, "X-Content-Sha256: %s", call->sha256_or_null);
		list = append(list, line);
	}
	if (range != NULL && range->from > 0) {
		(void)snprintf(line, sizeof line, "Range: bytes=%lld-", (long long)range->from);
		list = append(list, line);
		(void)snprintf(line, sizeof line, "If-Range: \"%s\"", range->etag);
		list = append(list, line);
	}
	return list;
}

/* The multi interface, because its wait can be ended by another thread. */
static CURLcode run(struct transport *t)
{
	CURLcode result = CURLE_ABORTED_BY_CALLBACK;
	int running = 1;
	if (curl_multi_add_handle(t->multi, t->easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running > 0 && !atomic_load(&t->is_cancelled)) {
		if (curl_multi_perform(t->multi, &running) != CURLM_OK)
			break;
		if (running > 0 && curl_multi_poll(t->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK)
			break;
	}
	int left;
	const CURLMsg *message;
	while ((message = curl_multi_info_read(t->multi, &left)) != NULL) {
		if (message->msg == CURLMSG_DONE)
			result = message->data.result;
	}
	(void)curl_multi_remove_handle(t->multi, t->easy); /* it was added above */
	return result;
}

static bool begin_range(struct transport *t, int64_t from)
{
	const struct fetch_range *range = t->call_or_null->range_or_null;
	t->is_range_begun = true;
	t->has_given_up = !range->begin(range->context, from, t->err_or_null);
	return !t->has_given_up;
}

static long status_of(struct transport *t)
{
	long status = 0;
	(void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status); /* 0 if unknown */
	return status;
}

static bool take_range(struct transport *t, struct slice bytes)
{
	const struct fetch_range *range = t->call_or_null->range_or_null;
	if (!t->is_range_begun && !begin_range(t, status_of(t) == 206 ? range->from : 0))
		return false;
	t->has_given_up = !range->bytes(range->context, bytes, t->err_or_null);
	return !t->has_given_up;
}

/* An empty file has no bytes to begin with. */
static bool finish_range(struct transport *t)
{
	bool is_empty = t->call_or_null->range_or_null != NULL && !t->is_range_begun &&
			t->reply_or_null->status / 100 == 2;
	return !is_empty || begin_range(t, 0);
}

static size_t take_body_cb(char *bytes, size_t size, size_t count, void *context)
{
	struct transport *t = context;
	if (t->call_or_null->range_or_null != NULL && status_of(t) / 100 == 2)
		return take_range(t, slice_make(bytes, size * count)) ? size * count : 0;
	struct buffer *body = &t->reply_or_null->body;
	buffer_append(body, slice_make(bytes, size * count));
	return body->failed ? 0 : size * count;
}

static size_t take_header_cb(char *bytes, size_t size, size_t count, void *context)
{
	struct transport *t = context;
	struct slice value = slice_make(bytes, size * count);
	struct slice name;
	if (!slice_next(&value, ':', &name) || !slice_is_present(value))
		return size * count;
	value = slice_trim(value);
	int64_t seconds;
	if (slice_eq_ignoring_case(name, SLICE("retry-after")) &&
	    slice_parse_i64(value, &seconds) && seconds >= 0) {
		t->reply_or_null->retry_after_ms =
			seconds > RETRY_AFTER_MS_MAX / 1000 ? RETRY_AFTER_MS_MAX : seconds * 1000;
	}
	if (slice_eq_ignoring_case(name, SLICE("etag")) && value.len >= 2 && value.ptr[0] == '"')
		(void)snprintf(t->reply_or_null->etag, sizeof t->reply_or_null->etag, "%.*s",
			       (int)(value.len - 2 < 79 ? value.len - 2 : 79), value.ptr + 1);
	return size * count;
}

static size_t give_body_cb(char *bytes, size_t size, size_t count, void *context)
{
	struct transport *t = context;
	ssize_t got = pread(t->call_or_null->body_fd, bytes, size * count, (off_t)t->upload_offset);
	if (got < 0)
		return CURL_READFUNC_ABORT;
	t->upload_offset += got;
	return (size_t)got;
}

/* libcurl sends from the start again when a kept-alive connection turns out to be closed. */
static int seek_body_cb(void *context, curl_off_t offset, int origin)
{
	struct transport *t = context;
	if (origin != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	t->upload_offset = offset;
	return CURL_SEEKFUNC_OK;
}

static void encode(struct slice text, const char *kept, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || (c != '\0' && strchr(kept, c) != NULL);
		if (is_plain)
			buffer_append_byte(out, c);
		else
			buffer_printf(out, "%%%02X", (unsigned char)c);
	}
}
