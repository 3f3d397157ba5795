/* Owns a load generator for a daemon on loopback: N keep-alive connections, one request in flight on each.
 *
 * Usage: load_bench PORT KIND CONNECTIONS REQUESTS [POINTS | TARGET [BODY]]
 *   KIND  health      GET /health
 *         log-metric  POST runs/log-metric, one point each
 *         log-batch   POST runs/log-batch with POINTS points each
 *         get         GET of TARGET
 *         post        POST of BODY, which is JSON, to TARGET; each '#' in BODY becomes the number of the request
 * The run id is taken from the environment (RUN_ID). Prints one line: requests/s, points/s, latency percentiles.
 * Bounded: it ends after REQUESTS replies, or with an error after 60 s. Talks to 127.0.0.1 only. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 1024, REPLY_BYTES_MAX = 1 << 20, DEADLINE_S = 60 };

enum { REQUEST_BYTES_MAX = 512 * 1024, BODY_BYTES_MAX = 256 * 1024, NUMBER_DIGITS_MAX = 20 };

struct load {
	int port;
	const char *kind;
	const char *target;
	const char *body; /* of "post" */
	const char *run_id;
	unsigned points;
	uint64_t wanted, sent, received;
	int64_t *latencies_ns;
	int epoll_fd;
};

struct connection {
	int fd;
	int64_t begin_ns;
	char *request;
	size_t request_len;
	char *reply;
	size_t reply_len;
};

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

__attribute__((noreturn)) static void die(const char *what)
{
	(void)fprintf(stderr, "load_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static size_t write_points(char *body, const struct load *load, uint64_t step)
{
	size_t len = (size_t)sprintf(body, "{\"run_id\":\"%s\",\"metrics\":[", load->run_id);
	for (unsigned i = 0; i < load->points; i++)
		len += (size_t)sprintf(body + len,
				       "%s{\"key\":\"loss\",\"value\":%.6f,\"timestamp\":%llu,\"step\":%llu}",
				       i > 0 ? "," : "", 1.0 / (double)(step + i + 1),
				       (unsigned long long)(1700000000000 + step + i), (unsigned long long)(step + i));
	return len + (size_t)sprintf(body + len, "]}");
}

static size_t write_numbered(char *body, const char *pattern, uint64_t number)
{
	size_t len = 0;
	for (const char *at = pattern; *at != '\0'; at++) {
		if (*at == '#')
			len += (size_t)sprintf(body + len, "%llu", (unsigned long long)number);
		else
			body[len++] = *at;
	}
	return len;
}

/* Would every number fit? */
static bool fits(const char *pattern)
{
	size_t len = 0;
	for (const char *at = pattern; *at != '\0' && len <= BODY_BYTES_MAX; at++)
		len += *at == '#' ? NUMBER_DIGITS_MAX : 1;
	return len < BODY_BYTES_MAX;
}

static size_t write_body(char *body, const struct load *load, uint64_t number)
{
	if (load->body != NULL)
		return write_numbered(body, load->body, number);
	if (strcmp(load->kind, "log-batch") == 0)
		return write_points(body, load, number * load->points);
	return (size_t)sprintf(body,
			       "{\"run_id\":\"%s\",\"key\":\"loss\",\"value\":%.6f,\"timestamp\":%llu,\"step\":%llu}",
			       load->run_id, 1.0 / (double)(number + 1), (unsigned long long)(1700000000000 + number),
			       (unsigned long long)number);
}

static void write_request(struct connection *c, const struct load *load, uint64_t number)
{
	static char body[BODY_BYTES_MAX];
	if (load->body == NULL && load->target != NULL) {
		c->request_len =
			(size_t)sprintf(c->request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", load->target);
		return;
	}
	size_t body_len = write_body(body, load, number);
	c->request_len = (size_t)sprintf(c->request,
					 "POST %s%s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
					 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
					 load->target != NULL ? "" : "/api/2.0/mlflow/runs/",
					 load->target != NULL ? load->target : load->kind, body_len);
	memcpy(c->request + c->request_len, body, body_len);
	c->request_len += body_len;
}

static void send_next(struct connection *c, struct load *load)
{
	if (load->sent == load->wanted)
		return;
	write_request(c, load, load->sent++);
	c->begin_ns = now_ns();
	for (size_t done = 0; done < c->request_len;) {
		ssize_t n = send(c->fd, c->request + done, c->request_len - done, MSG_NOSIGNAL);
		if (n <= 0)
			die("send");
		done += (size_t)n;
	}
}

/* ---- replies ------------------------------------------------------------------------------------ */

/* Is the whole reply here? Ends the program when it is no 200. */
static bool is_complete(struct connection *c)
{
	c->reply[c->reply_len] = '\0';
	const char *head_end = strstr(c->reply, "\r\n\r\n");
	if (head_end == NULL)
		return false;
	if (strncmp(c->reply, "HTTP/1.1 200", 12) != 0) {
		(void)fprintf(stderr, "load_bench: %s\n", c->reply);
		exit(1);
	}
	const char *length = strcasestr(c->reply, "content-length:");
	if (length == NULL || length > head_end) {
		(void)fprintf(stderr, "load_bench: a reply without Content-Length\n");
		exit(1);
	}
	size_t body_len = strtoul(length + strlen("content-length:"), NULL, 10);
	return c->reply_len >= (size_t)(head_end + 4 - c->reply) + body_len;
}

static void receive(struct connection *c, struct load *load)
{
	ssize_t n = recv(c->fd, c->reply + c->reply_len, REPLY_BYTES_MAX - c->reply_len, 0);
	if (n <= 0)
		die("recv");
	c->reply_len += (size_t)n;
	if (!is_complete(c))
		return;
	c->reply_len = 0;
	load->latencies_ns[load->received++] = now_ns() - c->begin_ns;
	send_next(c, load);
}

/* ---- the run ------------------------------------------------------------------------------------ */

static void connection_open(struct connection *c, struct load *load)
{
	const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->port),
					    .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int one = 1;
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)); /* only slower without */
	c->request = malloc(REQUEST_BYTES_MAX);
	c->reply = malloc(REPLY_BYTES_MAX + 1);
	struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = c}};
	if (c->request == NULL || c->reply == NULL || epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, c->fd, &event) != 0)
		die("connection");
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void print_outcome(struct load *load, unsigned connection_count, double seconds)
{
	qsort(load->latencies_ns, load->received, sizeof(int64_t), compare_i64);
	const double per_second = (double)load->received / seconds;
	printf("%-11s connections=%-4u requests=%llu requests/s=%.0f points/s=%.0f p50_us=%.0f p99_us=%.0f max_us=%.0f\n",
	       load->kind, connection_count, (unsigned long long)load->received,
	       per_second, load->target != NULL ? 0.0 : per_second * load->points,
	       (double)load->latencies_ns[load->received / 2] / 1e3,
	       (double)load->latencies_ns[load->received * 99 / 100] / 1e3,
	       (double)load->latencies_ns[load->received - 1] / 1e3);
}

static void run(struct load *load, unsigned connection_count)
{
	static struct connection connections[CONNECTIONS_MAX];
	struct epoll_event events[64];
	for (unsigned i = 0; i < connection_count; i++)
		connection_open(&connections[i], load);
	int64_t begin_ns = now_ns();
	for (unsigned i = 0; i < connection_count; i++)
		send_next(&connections[i], load);
	while (load->received < load->wanted) {
		int count = epoll_wait(load->epoll_fd, events, 64, 1000);
		for (int i = 0; i < count; i++)
			receive(events[i].data.ptr, load);
		if (now_ns() - begin_ns > (int64_t)DEADLINE_S * 1000000000) {
			(void)fprintf(stderr, "load_bench: not done after %d s\n", DEADLINE_S);
			exit(1);
		}
	}
	print_outcome(load, connection_count, (double)(now_ns() - begin_ns) / 1e9);
}

/* `rest` is what follows REQUESTS, up to a NULL. */
static void read_kind(struct load *load, char **rest)
{
	if (strcmp(load->kind, "health") == 0)
		load->target = "/health";
	else if (strcmp(load->kind, "get") == 0)
		load->target = rest[0];
	else if (strcmp(load->kind, "post") == 0 && rest[0] != NULL && rest[1] != NULL && fits(rest[1])) {
		load->target = rest[0];
		load->body = rest[1];
	} else if (rest[0] != NULL)
		load->points = (unsigned)strtoul(rest[0], NULL, 10);
}

int main(int argc, char **argv)
{
	struct load load = {.points = 1, .run_id = getenv("RUN_ID")};
	if (argc < 5) {
		(void)fprintf(stderr, "usage: load_bench PORT health|log-metric|log-batch|get|post CONNECTIONS "
				      "REQUESTS [POINTS | TARGET [BODY]]\n");
		return 2;
	}
	load.port = (int)strtol(argv[1], NULL, 10);
	load.kind = argv[2];
	unsigned connection_count = (unsigned)strtoul(argv[3], NULL, 10);
	load.wanted = strtoull(argv[4], NULL, 10);
	read_kind(&load, argv + 5);
	if (connection_count == 0 || connection_count > CONNECTIONS_MAX || load.wanted == 0 || load.points > 1000 ||
	    (load.target == NULL && load.run_id == NULL)) {
		(void)fprintf(stderr, "load_bench: 1..%d connections, 1..1000 points, RUN_ID or TARGET\n",
			      CONNECTIONS_MAX);
		return 2;
	}
	load.latencies_ns = calloc(load.wanted, sizeof(int64_t));
	load.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (load.latencies_ns == NULL || load.epoll_fd < 0)
		die("start");
	run(&load, connection_count);
	return 0;
}
