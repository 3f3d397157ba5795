/* Owns the thread that sends requests to strangers: libcurl's multi interface, its limits, its cancellation. */
#include "outgoing/http_client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "outgoing/curl_library.h"
#include "outgoing/public_address.h"

enum {
	POLL_MS = 60 * 1000,
	/* Of an answer: more is not read. */
	ANSWER_HEAD_BYTES_MAX = 64 * 1024,
	ANSWER_BODY_BYTES_MAX = 64 * 1024,
	CONNECTIONS_KEPT_MAX = 16,
};

/* A request under way. This thread only. */
struct transfer {
	struct http_client *client;
	struct outgoing *outgoing;
	struct transfer *next_or_null;
	CURL *easy;
	struct curl_slist *headers;
	int64_t began_ms; /* monotonic */
	size_t head_bytes, body_bytes;
	bool has_head; /* a final answer's head is complete */
	bool has_refused;
	char refused_address[64];
	char error_text[CURL_ERROR_SIZE];
};

struct http_client {
	const struct curl_library *curl;
	const char *user_agent;
	CURLM *multi;
	pthread_t thread;
	pthread_mutex_t mutex;
	struct queue_node *first_or_null; /* waiting; under mutex, as all up to here */
	struct queue_node *last_or_null;
	bool is_stopping;
	bool is_closing;
	struct transfer *transfers; /* this thread only, as what follows */
	unsigned transfer_count;
};

static void *client_main(void *argument);

/* ---- any thread --------------------------------------------------------------------------------- */

bool http_client_open(const char *user_agent, struct http_client **out, struct error *err)
{
	const struct curl_library *curl = curl_library_load(err);
	if (curl == NULL)
		return false;
	struct http_client *client = calloc(1, sizeof(*client));
	if (client == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "out of memory");
	client->curl = curl;
	client->user_agent = user_agent;
	client->multi = curl->multi_init();
	(void)pthread_mutex_init(&client->mutex, NULL); /* cannot fail with default attributes */
	int failed = client->multi == NULL
			     ? -1
			     : pthread_create(&client->thread, NULL, client_main, client);
	if (failed != 0) {
		if (client->multi != NULL)
			(void)curl->multi_cleanup(client->multi);
		(void)pthread_mutex_destroy(&client->mutex);
		free(client);
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "no thread or memory to send with");
	}
	*out = client;
	return true;
}

static void wake(struct http_client *client)
{
	(void)client->curl->multi_wakeup(client->multi); /* fails only when it is awake already */
}

void http_client_submit(struct http_client *client, struct outgoing *outgoing)
{
	(void)pthread_mutex_lock(&client->mutex);
	outgoing->node.next_or_null = NULL;
	if (client->last_or_null != NULL)
		client->last_or_null->next_or_null = &outgoing->node;
	else
		client->first_or_null = &outgoing->node;
	client->last_or_null = &outgoing->node;
	(void)pthread_mutex_unlock(&client->mutex);
	wake(client);
}

void http_client_stop(struct http_client *client)
{
	(void)pthread_mutex_lock(&client->mutex);
	client->is_stopping = true;
	(void)pthread_mutex_unlock(&client->mutex);
	wake(client);
}

void http_client_close(struct http_client *client_or_null)
{
	struct http_client *client = client_or_null;
	if (client == NULL)
		return;
	(void)pthread_mutex_lock(&client->mutex);
	client->is_stopping = true;
	client->is_closing = true;
	(void)pthread_mutex_unlock(&client->mutex);
	wake(client);
	(void)pthread_join(client->thread, NULL); /* can only fail for a wrong thread id */
	(void)client->curl->multi_cleanup(client->multi);
	(void)pthread_mutex_destroy(&client->mutex);
	free(client);
}

/* ---- libcurl's callbacks ------------------------------------------------------------------------ */

/* Instead of socket(2): the address is known now, and nothing was sent yet. */
static curl_socket_t open_socket_cb(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *t = ctx;
	(void)purpose;
	if (!t->outgoing->allows_private_addresses && !address_is_public(&address->addr)) {
		t->has_refused = true;
		address_format(&address->addr, t->refused_address);
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* One line of a head; an empty one ends it. Heads of 100 Continue come before the one that counts. */
static size_t head_cb(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	size_t len = size * count;
	long status = 0;
	t->head_bytes += len;
	if (t->head_bytes > ANSWER_HEAD_BYTES_MAX)
		return 0;
	if (len <= 2 && bytes[0] == (len == 2 ? '\r' : '\n')) {
		(void)t->client->curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
		t->has_head = status >= 200;
	}
	return len;
}

static size_t body_cb(char *bytes, size_t size, size_t count, void *ctx)
{
	struct transfer *t = ctx;
	struct outgoing *o = t->outgoing;
	size_t len = size * count;
	size_t room = sizeof(o->answer) - o->answer_bytes;
	size_t kept = len < room ? len : room;
	memcpy(o->answer + o->answer_bytes, bytes, kept);
	o->answer_bytes += kept;
	t->body_bytes += len;
	return t->body_bytes > ANSWER_BODY_BYTES_MAX ? 0 : len;
}

/* ---- one request -------------------------------------------------------------------------------- */

static bool add_headers(struct transfer *t)
{
	const struct curl_library *curl = t->client->curl;
	const struct outgoing *o = t->outgoing;
	/* Without it, libcurl asks before a large body, and waits a second for peers that do not know the question. */
	t->headers = curl->slist_append(NULL, "Expect:");
	for (unsigned i = 0; i < o->header_count && t->headers != NULL; i++) {
		struct curl_slist *longer = curl->slist_append(t->headers, o->headers[i]);
		if (longer == NULL)
			curl->slist_free_all(t->headers);
		t->headers = longer;
	}
	return t->headers != NULL;
}

#define SET(option, value) (t->client->curl->easy_setopt(t->easy, (option), (value)) == CURLE_OK)

static bool set_request(struct transfer *t)
{
	const struct outgoing *o = t->outgoing;
	return SET(CURLOPT_URL, o->url) && SET(CURLOPT_PROTOCOLS_STR, o->schemes) &&
	       SET(CURLOPT_HTTPHEADER, t->headers) && SET(CURLOPT_POST, 1L) &&
	       SET(CURLOPT_POSTFIELDS, o->body.ptr) &&
	       SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body.len) &&
	       SET(CURLOPT_USERAGENT, t->client->user_agent) &&
	       SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       (o->ca_file_or_null == NULL || SET(CURLOPT_CAINFO, o->ca_file_or_null));
}

static bool set_limits(struct transfer *t)
{
	const struct outgoing *o = t->outgoing;
	return SET(CURLOPT_CONNECTTIMEOUT_MS, (long)o->connect_timeout_ms) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)o->timeout_ms) && SET(CURLOPT_NOSIGNAL, 1L) &&
	       SET(CURLOPT_QUICK_EXIT, 1L) && /* a resolver that hangs does not hold us up */
	       SET(CURLOPT_FOLLOWLOCATION, 0L) && SET(CURLOPT_PROXY, "") &&
	       SET(CURLOPT_OPENSOCKETFUNCTION, open_socket_cb) && SET(CURLOPT_OPENSOCKETDATA, t) &&
	       SET(CURLOPT_HEADERFUNCTION, head_cb) && SET(CURLOPT_HEADERDATA, t) &&
	       SET(CURLOPT_WRITEFUNCTION, body_cb) && SET(CURLOPT_WRITEDATA, t) &&
	       SET(CURLOPT_ERRORBUFFER, t->error_text) && SET(CURLOPT_PRIVATE, t);
}

/* Gives the request back. `t` is not in the list any more. */
static void finish(struct transfer *t, enum outgoing_outcome outcome, const char *error)
{
	const struct curl_library *curl = t->client->curl;
	struct outgoing *o = t->outgoing;
	o->outcome = outcome;
	o->duration_ms = clock_monotonic_ms(clock_system()) - t->began_ms;
	(void)snprintf(o->error, sizeof(o->error), "%s", error);
	if (t->easy != NULL)
		curl->easy_cleanup(t->easy);
	curl->slist_free_all(t->headers);
	free(t);
	o->done_cb(o->owner, o->item);
}

static void begin(struct http_client *client, struct outgoing *outgoing)
{
	struct transfer *t = calloc(1, sizeof(*t));
	outgoing->status = 0;
	outgoing->retry_after_ms = 0;
	outgoing->answer_bytes = 0;
	if (t == NULL) {
		outgoing->outcome = OUTGOING_FAILED;
		(void)snprintf(outgoing->error, sizeof(outgoing->error), "out of memory");
		outgoing->done_cb(outgoing->owner, outgoing->item);
		return;
	}
	t->client = client;
	t->outgoing = outgoing;
	t->began_ms = clock_monotonic_ms(clock_system());
	t->easy = client->curl->easy_init();
	if (t->easy == NULL || !add_headers(t) || !set_request(t) || !set_limits(t) ||
	    client->curl->multi_add_handle(client->multi, t->easy) != CURLM_OK) {
		finish(t, OUTGOING_FAILED, "libcurl refuses the request, or is out of memory");
		return;
	}
	t->next_or_null = client->transfers;
	client->transfers = t;
	client->transfer_count++;
}

static void unlink_transfer(struct http_client *client, struct transfer *t)
{
	struct transfer **link = &client->transfers;
	while (*link != t)
		link = &(*link)->next_or_null;
	*link = t->next_or_null;
	client->transfer_count--;
	(void)client->curl->multi_remove_handle(client->multi, t->easy); /* it is in */
}

static void finish_answered(struct transfer *t)
{
	const struct curl_library *curl = t->client->curl;
	long status = 0;
	curl_off_t retry_after_s = 0;
	(void)curl->easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl->easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	t->outgoing->status = (int)status;
	if (retry_after_s > 0 && retry_after_s < INT32_MAX)
		t->outgoing->retry_after_ms = (int64_t)retry_after_s * 1000;
	finish(t, OUTGOING_ANSWERED, "");
}

static void finish_refused(struct transfer *t)
{
	char sentence[128];
	(void)snprintf(sentence, sizeof(sentence), "connection refused: %s is not a public address",
		       t->refused_address);
	finish(t, OUTGOING_REFUSED, sentence);
}

static void finish_failed(struct transfer *t, CURLcode code)
{
	char sentence[CURL_ERROR_SIZE];
	(void)snprintf(sentence, sizeof(sentence), "%s",
		       t->error_text[0] != '\0' ? t->error_text
						: t->client->curl->easy_strerror(code));
	finish(t, OUTGOING_FAILED, sentence);
}

/* ---- the thread --------------------------------------------------------------------------------- */

/* Returns whether any ended, and so places became free. */
static bool reap(struct http_client *client)
{
	CURLMsg *message;
	int left;
	bool any = false;
	while ((message = client->curl->multi_info_read(client->multi, &left)) != NULL) {
		struct transfer *t = NULL;
		CURLcode code = message->data.result;
		if (message->msg != CURLMSG_DONE)
			continue;
		(void)client->curl->easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
						 (char **)&t);
		any = true;
		unlink_transfer(client, t);
		if (t->has_head)
			finish_answered(t);
		else if (t->has_refused)
			finish_refused(t);
		else
			finish_failed(t, code);
	}
	return any;
}

/* The next request that may begin, or NULL. */
static struct outgoing *take_waiting(struct http_client *client, bool *is_stopping_out)
{
	(void)pthread_mutex_lock(&client->mutex);
	struct queue_node *node = NULL;
	*is_stopping_out = client->is_stopping;
	if (client->is_stopping || client->transfer_count < HTTP_CLIENT_UNDER_WAY_MAX)
		node = client->first_or_null;
	if (node != NULL) {
		client->first_or_null = node->next_or_null;
		if (client->first_or_null == NULL)
			client->last_or_null = NULL;
	}
	(void)pthread_mutex_unlock(&client->mutex);
	return node != NULL ? CONTAINER_OF(node, struct outgoing, node) : NULL;
}

static void cancel(struct outgoing *outgoing)
{
	outgoing->outcome = OUTGOING_CANCELLED;
	(void)snprintf(outgoing->error, sizeof(outgoing->error), "the server is stopping");
	outgoing->done_cb(outgoing->owner, outgoing->item);
}

/* Begins what may begin; cancels all when stopping. True when the thread is to end. */
static bool admit(struct http_client *client)
{
	struct outgoing *outgoing;
	bool is_stopping = false;
	while ((outgoing = take_waiting(client, &is_stopping)) != NULL) {
		if (is_stopping)
			cancel(outgoing);
		else
			begin(client, outgoing);
	}
	if (!is_stopping)
		return false;
	while (client->transfers != NULL) {
		struct transfer *t = client->transfers;
		unlink_transfer(client, t);
		finish(t, OUTGOING_CANCELLED, "the server is stopping");
	}
	(void)pthread_mutex_lock(&client->mutex);
	bool is_over = client->is_closing && client->first_or_null == NULL;
	(void)pthread_mutex_unlock(&client->mutex);
	return is_over;
}

static void *client_main(void *argument)
{
	struct http_client *client = argument;
	int running;
	(void)client->curl->multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
					 (long)CONNECTIONS_KEPT_MAX);
	while (!admit(client)) {
		(void)client->curl->multi_perform(client->multi, &running);
		if (!reap(client))
			(void)client->curl->multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
	}
	return NULL;
}
