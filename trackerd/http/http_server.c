/* Owns the listening socket, the list of connections, and the end of both. */
#include "http/http_server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random_id.h"
#include "http/connection.h"

enum { BACKLOG = 1024, SWEEP_MS_MIN = 5, SWEEP_MS_MAX = 1000 };

static bool parse_address(const char *host, unsigned port, struct sockaddr_storage *address,
			  socklen_t *len_out, struct error *err);
static bool listen_on(const char *host, unsigned port, int *socket_out, unsigned *port_out,
		      struct error *err);
static unsigned port_of(int fd);
static bool start_listening(struct http_server *server, int fd, struct error *err);
static void on_connection(uv_stream_t *listener, int status);
static void on_sweep(uv_timer_t *timer);
static void on_grace(uv_timer_t *timer);
static void on_deferral(uv_idle_t *idle);
static void cut_all(struct http_server *server);
static void close_handles(struct http_server *server);
static void on_handle_closed(uv_handle_t *handle);
static void finish_if_empty(struct http_server *server);
static void keep_time(struct http_server *server);

bool http_server_open(struct uv_loop_s *loop, const struct http_server_options *options,
		      struct http_server **out, struct error *err)
{
	ASSERT(options->head_cb != NULL && options->connections_max > 0);
	ASSERT(options->head_timeout_ms > 0 && options->body_timeout_ms > 0 &&
	       options->idle_timeout_ms > 0);
	int fd = -1;
	unsigned port = 0;
	/* By plain system calls first: what fails leaves nothing that libuv must close later. */
	if (!listen_on(options->host, options->port, &fd, &port, err))
		return false;
	struct http_server *server = calloc(1, sizeof(*server));
	if (server == NULL) {
		(void)close(fd);
		return error_set(err, ERR_INTERNAL_ERROR, "not enough memory for the HTTP server");
	}
	server->loop = loop;
	server->port = port;
	server->options = *options;
	server->options.host = NULL;
	buffer_init(&server->head_text, REPLY_HEAD_BYTES_MAX);
	random_bytes(&server->id_state, sizeof(server->id_state));
	if (!start_listening(server, fd, err))
		return false;
	*out = server;
	return true;
}

unsigned http_server_port(const struct http_server *server)
{
	return server->port;
}

struct http_server_counts http_server_counts(const struct http_server *server)
{
	return server->counts;
}

void http_server_close_on_loop(struct http_server *server, int64_t grace_ms,
			       void (*closed_cb)(void *ctx), void *ctx)
{
	ASSERT(!server->closing && grace_ms >= 0);
	server->closing = true;
	server->closed_cb = closed_cb;
	server->closed_ctx = ctx;
	uv_close((uv_handle_t *)&server->listener, on_handle_closed);
	for (struct connection *c = server->first_or_null; c != NULL; c = c->next_or_null) {
		if (c->phase == CONNECTION_IDLE && !c->is_processing)
			connection_cut(c, false);
	}
	if (grace_ms == 0) {
		cut_all(server);
	} else {
		uv_update_time(server->loop);
		int status = uv_timer_start(&server->grace, on_grace, (uint64_t)grace_ms, 0);
		ASSERT(status == 0);
	}
	finish_if_empty(server);
}

void http_server_connection_freed(struct http_server *server)
{
	finish_if_empty(server);
}

void http_server_run_deferred(struct http_server *server)
{
	if (!uv_is_active((uv_handle_t *)&server->deferral))
		(void)uv_idle_start(&server->deferral, on_deferral); /* fails for NULL only */
}

static bool listen_on(const char *host, unsigned port, int *socket_out, unsigned *port_out,
		      struct error *err)
{
	struct sockaddr_storage address;
	socklen_t len = 0;
	if (!parse_address(host, port, &address, &len, err))
		return false;
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;
	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind(fd, (struct sockaddr *)&address, len) == 0 && listen(fd, BACKLOG) == 0) {
		*socket_out = fd;
		*port_out = port_of(fd);
		return true;
	}
	int reason = errno;
	if (fd >= 0)
		(void)close(fd);
	if (reason == EADDRINUSE)
		return error_set(err, ERR_INVALID_STATE, "port %u on %s is already in use", port,
				 host);
	if (reason == EADDRNOTAVAIL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "%s is not an address of this machine", host);
	if (reason == EACCES)
		return error_set(err, ERR_PERMISSION_DENIED,
				 "port %u on %s may not be used by this user", port, host);
	return error_set(err, ERR_INTERNAL_ERROR, "cannot listen on port %u of %s: %s", port, host,
			 uv_strerror(-reason));
}

static bool parse_address(const char *host, unsigned port, struct sockaddr_storage *address,
			  socklen_t *len_out, struct error *err)
{
	char quoted[80];
	if (port > UINT16_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%u is not a port (0 to 65535)",
				 port);
	const char *numeric = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
	*address = (struct sockaddr_storage){0};
	if (uv_ip4_addr(numeric, (int)port, (struct sockaddr_in *)address) == 0) {
		*len_out = sizeof(struct sockaddr_in);
		return true;
	}
	if (uv_ip6_addr(numeric, (int)port, (struct sockaddr_in6 *)address) == 0) {
		*len_out = sizeof(struct sockaddr_in6);
		return true;
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "'%s' is not a numeric IPv4 or IPv6 address or 'localhost'",
			 error_quote(slice_from_cstr(host), quoted, sizeof(quoted)));
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);
	if (getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}

/* Takes the socket and, when it fails, the server. */
static bool start_listening(struct http_server *server, int fd, struct error *err)
{
	/* Initialising handles cannot fail: they hold no resource yet. */
	(void)uv_tcp_init(server->loop, &server->listener);
	(void)uv_timer_init(server->loop, &server->sweep);
	(void)uv_timer_init(server->loop, &server->grace);
	(void)uv_idle_init(server->loop, &server->deferral);
	server->listener.data = server;
	server->sweep.data = server;
	server->grace.data = server;
	server->deferral.data = server;
	server->handles_open = 4;
	int status = uv_tcp_open(&server->listener, fd);
	if (status != 0)
		(void)close(fd);
	else
		status = uv_listen((uv_stream_t *)&server->listener, BACKLOG, on_connection);
	if (status == 0)
		return true;
	server->closing = true;
	uv_close((uv_handle_t *)&server->listener, on_handle_closed);
	close_handles(server);
	return error_set(err, ERR_INTERNAL_ERROR, "cannot listen on port %u: %s", server->port,
			 uv_strerror(status));
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct http_server *server = CONTAINER_OF(listener, struct http_server, listener);
	if (status != 0) {
		log_event(LOG_WARN, "connection_not_accepted", "reason=%s", uv_err_name(status));
		return;
	}
	connection_accept(server);
	keep_time(server);
}

/* Runs the sweep while there are connections: an idle daemon does not wake up. */
static void keep_time(struct http_server *server)
{
	bool wanted = server->first_or_null != NULL;
	if (wanted == server->is_sweeping)
		return;
	server->is_sweeping = wanted;
	if (!wanted) {
		(void)uv_timer_stop(&server->sweep); /* always succeeds */
		return;
	}
	const struct http_server_options *options = &server->options;
	int64_t shortest_ms = options->head_timeout_ms;
	if (options->body_timeout_ms < shortest_ms)
		shortest_ms = options->body_timeout_ms;
	if (options->idle_timeout_ms < shortest_ms)
		shortest_ms = options->idle_timeout_ms;
	int64_t every_ms = shortest_ms / 4;
	if (every_ms < SWEEP_MS_MIN)
		every_ms = SWEEP_MS_MIN;
	if (every_ms > SWEEP_MS_MAX)
		every_ms = SWEEP_MS_MAX;
	int status =
		uv_timer_start(&server->sweep, on_sweep, (uint64_t)every_ms, (uint64_t)every_ms);
	ASSERT(status == 0);
}

static void on_sweep(uv_timer_t *timer)
{
	struct http_server *server = CONTAINER_OF(timer, struct http_server, sweep);
	int64_t now_ms = (int64_t)uv_now(server->loop);
	/* Connections leave the list from the loop only, not from inside a sweep. */
	for (struct connection *c = server->first_or_null; c != NULL; c = c->next_or_null)
		connection_sweep(c, now_ms);
}

static void on_grace(uv_timer_t *timer)
{
	cut_all(CONTAINER_OF(timer, struct http_server, grace));
}

static void on_deferral(uv_idle_t *idle)
{
	struct http_server *server = CONTAINER_OF(idle, struct http_server, deferral);
	struct connection *c = server->deferred_first_or_null;
	server->deferred_first_or_null = NULL;
	server->deferred_last_or_null = NULL;
	(void)uv_idle_stop(idle); /* always succeeds */
	while (c != NULL) {
		struct connection *next = c->next_deferred_or_null;
		c->is_deferred = false;
		connection_run_deferred(c);
		c = next;
	}
}

static void cut_all(struct http_server *server)
{
	for (struct connection *c = server->first_or_null; c != NULL; c = c->next_or_null)
		connection_cut(c, true);
}

static void finish_if_empty(struct http_server *server)
{
	if (!server->closing)
		keep_time(server);
	else if (server->first_or_null == NULL && !server->is_ending)
		close_handles(server);
}

static void close_handles(struct http_server *server)
{
	server->is_ending = true;
	uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&server->grace, on_handle_closed);
	uv_close((uv_handle_t *)&server->deferral, on_handle_closed);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct http_server *server = handle->data;
	if (--server->handles_open > 0)
		return;
	if (server->closed_cb != NULL)
		server->closed_cb(server->closed_ctx);
	buffer_deinit(&server->head_text);
	free(server);
}
