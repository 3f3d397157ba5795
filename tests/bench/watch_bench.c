/* Owns a crowd that watches one alias of a daemon on loopback: what each costs, and how soon it is told of a move.
 *
 * Usage: watch_bench PORT KIND WATCHERS MOVES DAEMON_PID
 *   KIND  alias   long polls on the alias: GET models/bench/aliases/champion?revision=…&wait_ms=…
 *         events  streams: GET events?topics=model:bench
 * The model "bench" has versions 1 and 2, and the alias points at 1. Prints one line: bytes of the daemon's memory that
 * one watcher takes while it waits (growth of VmRSS), and the delays from sending a move to hearing of it. Bounded: it
 * ends after MOVES moves, or with an error after 60 s. Talks to 127.0.0.1 only. */
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WATCHERS_MAX = 10000, REPLY_BYTES = 4096, DEADLINE_S = 60, SETTLE_MS = 300 };

struct watcher {
	int fd;
	char reply[REPLY_BYTES]; /* NUL-terminated */
	size_t reply_len;
	bool is_told; /* of the move that is measured */
};

struct bench {
	int port;
	bool is_events;
	unsigned watcher_count, move_count;
	struct watcher *watchers;
	int epoll_fd;
	int mover_fd;
	long long revision;
	int64_t *delays_ns;
	size_t delay_count;
	int64_t deadline_ns;
};

static int64_t now_ns(void)
{
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail for this clock */
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

__attribute__((noreturn)) static void die(const char *what)
{
	(void)fprintf(stderr, "watch_bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int connect_to(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons((uint16_t)port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("connect");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* only slower without */
	return fd;
}

static void send_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
		if (sent <= 0)
			die("send");
		text += sent;
		len -= (size_t)sent;
	}
}

/* Resident memory of the daemon in bytes. */
static long long resident_bytes(long pid)
{
	char path[64];
	long long pages = 0;
	(void)snprintf(path, sizeof(path), "/proc/%ld/statm", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL || fscanf(file, "%*d %lld", &pages) != 1)
		die(path);
	(void)fclose(file); /* opened for reading */
	return pages * sysconf(_SC_PAGESIZE);
}

/* ---- requests ----------------------------------------------------------------------------------- */

static void ask(const struct bench *bench, const struct watcher *w)
{
	char text[512];
	int len =
		bench->is_events
			? snprintf(text, sizeof(text),
				   "GET /api/trackerd/v1/events?topics=model:bench HTTP/1.1\r\n"
				   "Host: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n")
			: snprintf(
				  text, sizeof(text),
				  "GET /api/trackerd/v1/models/bench/aliases/champion?revision=%lld"
				  "&wait_ms=300000 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
				  bench->revision);
	send_all(w->fd, text, (size_t)len);
}

/* Sends a request and reads its reply, which is short, on the mover's connection. */
static void call(const struct bench *bench, const char *method, const char *target,
		 const char *body, char reply[REPLY_BYTES])
{
	char text[1024];
	size_t len = 0;
	int text_len =
		snprintf(text, sizeof(text),
			 "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
			 "Content-Length: %zu\r\n\r\n%s",
			 method, target, strlen(body), body);
	send_all(bench->mover_fd, text, (size_t)text_len);
	do {
		ssize_t got = recv(bench->mover_fd, reply + len, REPLY_BYTES - 1 - len, 0);
		if (got <= 0)
			die("recv");
		len += (size_t)got;
		reply[len] = '\0';
	} while (strstr(reply, "\r\n\r\n") == NULL || reply[len - 1] != '}');
	if (strncmp(reply, "HTTP/1.1 200", 12) != 0) {
		(void)fprintf(stderr, "watch_bench: %s %s answered:\n%s\n", method, target, reply);
		exit(1);
	}
}

static long long revision_in(const char *reply)
{
	const char *at = strstr(reply, "\"revision\":\"");
	return at == NULL ? -1 : atoll(at + strlen("\"revision\":\""));
}

/* ---- watching ----------------------------------------------------------------------------------- */

/* Has the reply of a poll, or an event, come as a whole? A stream's greeting is none. */
static bool is_whole(const struct bench *bench, const struct watcher *w)
{
	if (bench->is_events)
		return strstr(w->reply, "event: model") != NULL &&
		       strstr(w->reply, "}\n\n") != NULL;
	return strstr(w->reply, "\r\n\r\n") != NULL && w->reply[w->reply_len - 1] == '}';
}

static void take_bytes(struct watcher *w)
{
	ssize_t got = recv(w->fd, w->reply + w->reply_len, REPLY_BYTES - 1 - w->reply_len, 0);
	if (got <= 0)
		die("a watcher was cut");
	w->reply_len += (size_t)got;
	w->reply[w->reply_len] = '\0';
}

/* Takes what comes until `until_ns`, or until all were told; how many were. */
static unsigned listen_until(struct bench *bench, int64_t until_ns, int64_t moved_ns)
{
	struct epoll_event events[256];
	unsigned told = 0;
	while (told < bench->watcher_count && now_ns() < until_ns) {
		int count = epoll_wait(bench->epoll_fd, events, 256, 10);
		int64_t heard_ns = now_ns();
		for (int i = 0; i < count; i++) {
			struct watcher *w = events[i].data.ptr;
			take_bytes(w);
			if (w->is_told || !is_whole(bench, w))
				continue;
			w->is_told = true;
			told++;
			bench->delays_ns[bench->delay_count++] = heard_ns - moved_ns;
		}
	}
	return told;
}

static void forget_replies(struct bench *bench)
{
	for (unsigned i = 0; i < bench->watcher_count; i++) {
		bench->watchers[i].reply_len = 0;
		bench->watchers[i].reply[0] = '\0';
		bench->watchers[i].is_told = false;
	}
}

static void settle(struct bench *bench)
{
	(void)listen_until(bench, now_ns() + SETTLE_MS * INT64_C(1000000), 0);
	forget_replies(bench);
}

static void join(struct bench *bench, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		struct watcher *w = &bench->watchers[i];
		w->fd = connect_to(bench->port);
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = w};
		if (epoll_ctl(bench->epoll_fd, EPOLL_CTL_ADD, w->fd, &event) != 0)
			die("epoll_ctl");
		ask(bench, w);
	}
}

static void move(struct bench *bench, unsigned number)
{
	char body[128], reply[REPLY_BYTES];
	(void)snprintf(body, sizeof(body),
		       "{\"name\":\"bench\",\"alias\":\"champion\",\"version\":\"%u\"}",
		       number % 2 == 0 ? 2U : 1U);
	int64_t moved_ns = now_ns();
	call(bench, "POST", "/api/2.0/mlflow/registered-models/alias", body, reply);
	if (listen_until(bench, bench->deadline_ns, moved_ns) < bench->watcher_count) {
		(void)fprintf(stderr, "watch_bench: not everybody was told of move %u\n", number);
		exit(1);
	}
	if (!bench->is_events)
		bench->revision = revision_in(bench->watchers[0].reply);
	forget_replies(bench);
	for (unsigned i = 0; i < bench->watcher_count && !bench->is_events; i++)
		ask(bench, &bench->watchers[i]);
	settle(bench);
}

static int compare_i64(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static void print_figures(struct bench *bench, long long bytes)
{
	size_t n = bench->delay_count;
	qsort(bench->delays_ns, n, sizeof(*bench->delays_ns), compare_i64);
	(void)printf("%lld bytes each, told after ms: median %.2f p99 %.2f max %.2f\n", bytes,
		     (double)bench->delays_ns[n / 2] / 1e6,
		     (double)bench->delays_ns[n * 99 / 100] / 1e6,
		     (double)bench->delays_ns[n - 1] / 1e6);
}

int main(int argc, char **argv)
{
	struct rlimit files = {0};
	char reply[REPLY_BYTES];
	if (argc != 6) {
		(void)fprintf(stderr,
			      "Usage: watch_bench PORT alias|events WATCHERS MOVES DAEMON_PID\n");
		return 2;
	}
	struct bench bench = {.port = atoi(argv[1]),
			      .is_events = strcmp(argv[2], "events") == 0,
			      .watcher_count = (unsigned)atoi(argv[3]),
			      .move_count = (unsigned)atoi(argv[4]),
			      .epoll_fd = epoll_create1(EPOLL_CLOEXEC),
			      .deadline_ns = now_ns() + DEADLINE_S * INT64_C(1000000000)};
	long pid = atol(argv[5]);
	if (bench.watcher_count < 2 || bench.watcher_count > WATCHERS_MAX || bench.move_count == 0)
		die("2 to 10000 watchers, and a move");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < bench.watcher_count + 16) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files); /* connect says when there are too few */
	}
	bench.watchers = calloc(bench.watcher_count, sizeof(*bench.watchers));
	bench.delays_ns =
		calloc((size_t)bench.watcher_count * (bench.move_count + 1), sizeof(int64_t));
	if (bench.watchers == NULL || bench.delays_ns == NULL || bench.epoll_fd < 0)
		die("start");
	bench.mover_fd = connect_to(bench.port);
	call(&bench, "GET", "/api/trackerd/v1/models/bench/aliases/champion", "", reply);
	bench.revision = revision_in(reply);
	join(&bench, 0, 1); /* what the first one brings with it is not counted */
	settle(&bench);
	long long before = resident_bytes(pid);
	join(&bench, 1, bench.watcher_count);
	settle(&bench);
	long long bytes = (resident_bytes(pid) - before) / (bench.watcher_count - 1);
	for (unsigned i = 0; i < bench.move_count; i++)
		move(&bench, i);
	print_figures(&bench, bytes);
	return 0;
}
