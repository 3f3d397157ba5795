/* Owns the fake server that the client's tests talk to. */
#include "fake_server_helper.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/json_scanner.h"

enum { CONNECTIONS_MAX = 16, DEADLINE_S = 10 };

struct connection {
	int fd; /* -1: free */
	struct buffer in;
};

struct request {
	struct slice method, path, body;
	struct slice sha256;
};

struct answer {
	int status;
	char body[2048];
	int retry_after_s;
	bool is_dropped;
};

/* ---- world ---- */

struct world *world_new(void)
{
	struct world *w = calloc(1, sizeof *w);
	assert_non_null(w);
	w->points = calloc(WORLD_POINTS_MAX, sizeof *w->points);
	assert_non_null(w->points);
	w->fault_path = "";
	assert_int_equal(pthread_mutex_init(&w->mutex, NULL), 0);
	assert_int_equal(pthread_cond_init(&w->changed, NULL), 0);
	return w;
}

void world_free(struct world *w)
{
	for (size_t i = 0; i < w->requests_count; i++)
		free(w->requests[i]);
	free(w->points);
	free(w);
}

void world_add_fault(struct world *w, enum fault kind, int status, int retry_after_s)
{
	pthread_mutex_lock(&w->mutex);
	assert_true(w->faults_count < WORLD_FAULTS_MAX);
	w->faults[w->faults_count].kind = kind;
	w->faults[w->faults_count].status = status;
	w->faults[w->faults_count].retry_after_s = retry_after_s;
	w->faults_count++;
	w->is_held = w->is_held || kind == FAULT_HOLD;
	pthread_mutex_unlock(&w->mutex);
}

void world_release(struct world *w)
{
	pthread_mutex_lock(&w->mutex);
	w->is_held = false;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->mutex);
}

static size_t count_requests(const struct world *w, const char *part)
{
	size_t count = 0;
	for (size_t i = 0; i < w->requests_count; i++)
		count += strstr(w->requests[i], part) != NULL;
	return count;
}

void world_wait_requests(struct world *w, const char *part, size_t count)
{
	struct timespec deadline;
	int failed = 0;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += DEADLINE_S;
	pthread_mutex_lock(&w->mutex);
	while (count_requests(w, part) < count && failed == 0)
		failed = pthread_cond_timedwait(&w->changed, &w->mutex, &deadline);
	size_t seen = count_requests(w, part);
	pthread_mutex_unlock(&w->mutex);
	assert_true(seen >= count);
}

size_t world_count_requests(struct world *w, const char *part)
{
	pthread_mutex_lock(&w->mutex);
	size_t count = count_requests(w, part);
	pthread_mutex_unlock(&w->mutex);
	return count;
}

size_t world_points(struct world *w)
{
	pthread_mutex_lock(&w->mutex);
	size_t count = w->points_count;
	pthread_mutex_unlock(&w->mutex);
	return count;
}

static struct world_pair *find_pair(struct world_pair *pairs, size_t count, const char *key)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(pairs[i].key, key) == 0)
			return &pairs[i];
	}
	return NULL;
}

static const char *pair_value(struct world *w, struct world_pair *pairs, const size_t *count,
			      const char *key)
{
	pthread_mutex_lock(&w->mutex);
	const struct world_pair *pair = find_pair(pairs, *count, key);
	pthread_mutex_unlock(&w->mutex);
	return pair == NULL ? NULL : pair->value;
}

const char *world_param(struct world *w, const char *key)
{
	return pair_value(w, w->params, &w->params_count, key);
}

const char *world_tag(struct world *w, const char *key)
{
	return pair_value(w, w->tags, &w->tags_count, key);
}

const char *world_file(struct world *w, const char *path)
{
	return pair_value(w, w->files, &w->files_count, path);
}

const char *world_deployment(struct world *w)
{
	pthread_mutex_lock(&w->mutex);
	pthread_mutex_unlock(&w->mutex); /* what was answered is written */
	return w->deployment;
}

void world_forget_deployment(struct world *w)
{
	pthread_mutex_lock(&w->mutex);
	w->deployment[0] = '\0';
	pthread_mutex_unlock(&w->mutex);
}

static void set_pair(struct world_pair *pairs, size_t *count, struct slice key, struct slice value)
{
	char text[200];
	snprintf(text, sizeof text, "%.*s", SLICE_FMT(key));
	struct world_pair *pair = find_pair(pairs, *count, text);
	if (pair == NULL) {
		assert_true(*count < WORLD_PAIRS_MAX);
		pair = &pairs[(*count)++];
		snprintf(pair->key, sizeof pair->key, "%s", text);
	}
	snprintf(pair->value, sizeof pair->value, "%.*s", SLICE_FMT(value));
}

static void add_point(struct world *w, struct slice key, struct slice value, int64_t step,
		      int64_t time_ms)
{
	char text[256];
	int len = snprintf(text, sizeof text, "%.*s|%.*s|%lld|%lld", SLICE_FMT(key),
			   SLICE_FMT(value), (long long)step, (long long)time_ms);
	uint64_t hash = 14695981039346656037u;
	for (int i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	hash |= 1;
	for (size_t i = hash;; i++) {
		uint64_t *place = &w->points[i % WORLD_POINTS_MAX];
		if (*place == hash) {
			w->duplicates_count++;
			return;
		}
		if (*place == 0) {
			*place = hash;
			w->points_count++;
			assert_true(w->points_count < WORLD_POINTS_MAX / 2);
			return;
		}
	}
}

/* ---- endpoints; all with the world's mutex held ---- */

typedef void (*endpoint_fn)(struct world *w, const struct request *r, const struct json_value *body,
			    struct answer *a);

static void answer_error(struct answer *a, int status, const char *code, const char *message)
{
	a->status = status;
	snprintf(a->body, sizeof a->body, "{\"error_code\":\"%s\",\"message\":\"%s\"}", code,
		 message);
}

static void answer_run(const struct world *w, struct answer *a)
{
	snprintf(a->body, sizeof a->body,
		 "{\"run\":{\"info\":{\"run_id\":\"%s\",\"experiment_id\":\"1\",\"lifecycle_"
		 "stage\":\"%s\","
		 "\"artifact_uri\":\"mlflow-artifacts:/1/%s/artifacts\"}}}",
		 w->answers_foreign_run_ids ? "0123" : w->run_id,
		 w->run_is_deleted ? "deleted" : "active", w->run_id);
}

static void get_experiment(struct world *w, const struct request *r, const struct json_value *body,
			   struct answer *a)
{
	(void)r;
	(void)body;
	if (w->experiment[0] == '\0') {
		answer_error(a, 404, "RESOURCE_DOES_NOT_EXIST", "Could not find experiment");
		return;
	}
	snprintf(a->body, sizeof a->body,
		 "{\"experiment\":{\"experiment_id\":\"1\",\"lifecycle_stage\":\"%s\"}}",
		 w->experiment_is_deleted ? "deleted" : "active");
}

static void create_experiment(struct world *w, const struct request *r,
			      const struct json_value *body, struct answer *a)
{
	(void)r;
	struct slice name = json_tree_string(json_tree_get(body, "name"), SLICE(""));
	if (w->experiment[0] != '\0') {
		answer_error(a, 400, "RESOURCE_ALREADY_EXISTS", "it is there");
		return;
	}
	snprintf(w->experiment, sizeof w->experiment, "%.*s", SLICE_FMT(name));
	snprintf(a->body, sizeof a->body, "{\"experiment_id\":\"1\"}");
}

static void store_tags(struct world *w, const struct json_value *body)
{
	const struct json_value *tags = json_tree_get(body, "tags");
	for (const struct json_value *tag = tags == NULL ? NULL : tags->first_child_or_null;
	     tag != NULL; tag = tag->next_sibling_or_null)
		set_pair(w->tags, &w->tags_count,
			 json_tree_string(json_tree_get(tag, "key"), SLICE("")),
			 json_tree_string(json_tree_get(tag, "value"), SLICE("")));
}

static void create_run(struct world *w, const struct request *r, const struct json_value *body,
		       struct answer *a)
{
	(void)r;
	if (!w->run_exists) {
		w->runs_created++;
		store_tags(w, body);
		snprintf(w->run_id, sizeof w->run_id, "%.*s",
			 SLICE_FMT(json_tree_string(json_tree_get(body, "run_id"), SLICE(""))));
		snprintf(w->run_status, sizeof w->run_status, "RUNNING");
	}
	w->run_exists = true;
	answer_run(w, a);
}

static bool run_is_usable(const struct world *w, struct answer *a)
{
	if (!w->run_exists)
		answer_error(a, 404, "RESOURCE_DOES_NOT_EXIST", "Run not found");
	else if (w->run_is_deleted)
		answer_error(a, 400, "INVALID_PARAMETER_VALUE",
			     "The run must be in the 'active' state.");
	return w->run_exists && !w->run_is_deleted;
}

static void get_run(struct world *w, const struct request *r, const struct json_value *body,
		    struct answer *a)
{
	(void)r;
	(void)body;
	if (!w->run_exists)
		answer_error(a, 404, "RESOURCE_DOES_NOT_EXIST", "Run not found");
	else
		answer_run(w, a);
}

static void update_run(struct world *w, const struct request *r, const struct json_value *body,
		       struct answer *a)
{
	(void)r;
	if (!run_is_usable(w, a))
		return;
	snprintf(w->run_status, sizeof w->run_status, "%.*s",
		 SLICE_FMT(json_tree_string(json_tree_get(body, "status"), SLICE(""))));
	snprintf(w->end_time, sizeof w->end_time, "%lld",
		 (long long)json_tree_i64(json_tree_get(body, "end_time"), -1));
}

static bool has_bad_name(const struct json_value *list, bool has_metric_values)
{
	for (const struct json_value *item = list == NULL ? NULL : list->first_child_or_null;
	     item != NULL; item = item->next_sibling_or_null) {
		if (slice_starts_with(json_tree_string(json_tree_get(item, "key"), SLICE("")),
				      SLICE("bad")))
			return true;
		assert_true(!has_metric_values || json_tree_get(item, "value") != NULL);
	}
	return false;
}

static void log_batch(struct world *w, const struct request *r, const struct json_value *body,
		      struct answer *a)
{
	(void)r;
	const struct json_value *metrics = json_tree_get(body, "metrics");
	const struct json_value *params = json_tree_get(body, "params");
	const struct json_value *tags = json_tree_get(body, "tags");
	if (!run_is_usable(w, a))
		return;
	if (has_bad_name(metrics, true) || has_bad_name(params, false) ||
	    has_bad_name(tags, false)) {
		answer_error(a, 400, "INVALID_PARAMETER_VALUE", "Invalid name: 'bad'");
		return;
	}
	size_t count = metrics == NULL ? 0 : metrics->child_count;
	if (count > w->metrics_in_batch_max)
		w->metrics_in_batch_max = count;
	for (const struct json_value *m = metrics == NULL ? NULL : metrics->first_child_or_null;
	     m != NULL; m = m->next_sibling_or_null)
		add_point(w, json_tree_string(json_tree_get(m, "key"), SLICE("")),
			  json_tree_get(m, "value")->text,
			  json_tree_i64(json_tree_get(m, "step"), -1),
			  json_tree_i64(json_tree_get(m, "timestamp"), -1));
	for (const struct json_value *p = params == NULL ? NULL : params->first_child_or_null;
	     p != NULL; p = p->next_sibling_or_null)
		set_pair(w->params, &w->params_count,
			 json_tree_string(json_tree_get(p, "key"), SLICE("")),
			 json_tree_string(json_tree_get(p, "value"), SLICE("")));
	store_tags(w, body);
}

static void log_inputs(struct world *w, const struct request *r, const struct json_value *body,
		       struct answer *a)
{
	(void)body;
	if (run_is_usable(w, a))
		snprintf(w->dataset, sizeof w->dataset, "%.*s", SLICE_FMT(r->body));
}

static void put_file(struct world *w, const struct request *r, const struct json_value *body,
		     struct answer *a)
{
	(void)body;
	(void)a;
	struct slice content = r->body;
	/* A tarball: the first member's name says that it is one, and which. */
	if (content.len > 512 && memcmp(content.ptr + 257, "ustar", 5) == 0)
		content = slice_make(content.ptr, strnlen(content.ptr, 100));
	set_pair(w->files, &w->files_count, r->path, content);
}

static void put_deployment(struct world *w, const struct request *r, const struct json_value *body,
			   struct answer *a)
{
	(void)body;
	(void)a;
	assert_true(r->body.len < sizeof w->deployment);
	snprintf(w->deployment, sizeof w->deployment, "%.*s", SLICE_FMT(r->body));
}

static void beat_deployment(struct world *w, const struct request *r, const struct json_value *body,
			    struct answer *a)
{
	(void)r;
	(void)body;
	if (w->deployment[0] == '\0')
		answer_error(a, 404, "RESOURCE_DOES_NOT_EXIST", "Deployment not found");
}

static const struct {
	const char *method;
	const char *path;
	endpoint_fn handle;
} endpoints[] = {
	{"GET", "/api/2.0/mlflow/experiments/get-by-name", get_experiment},
	{"POST", "/api/2.0/mlflow/experiments/create", create_experiment},
	{"POST", "/api/2.0/mlflow/runs/create", create_run},
	{"GET", "/api/2.0/mlflow/runs/get", get_run},
	{"POST", "/api/2.0/mlflow/runs/update", update_run},
	{"POST", "/api/2.0/mlflow/runs/log-batch", log_batch},
	{"POST", "/api/2.0/mlflow/runs/log-inputs", log_inputs},
	{"PUT", "/api/2.0/mlflow-artifacts/artifacts/", put_file},
	{"PUT", "/api/trackerd/v1/archive/", put_file},
	{"PUT", "/api/trackerd/v1/deployments/", put_deployment},
	{"POST", "/api/trackerd/v1/deployments/", beat_deployment},
};

static void dispatch(struct world *w, const struct request *r, struct answer *a)
{
	struct arena arena;
	struct json_value *body = NULL;
	struct error err;
	arena_init(&arena, 256 * 1024 * 1024);
	if (slice_eq_cstr(r->method, "POST"))
		assert_true(json_tree_parse(r->body, &arena, &body, &err));
	a->status = 200;
	snprintf(a->body, sizeof a->body, "{}");
	size_t i = 0;
	while (i < ARRAY_COUNT(endpoints) &&
	       !(slice_eq_cstr(r->method, endpoints[i].method) &&
		 slice_starts_with(r->path, slice_from_cstr(endpoints[i].path))))
		i++;
	if (i < ARRAY_COUNT(endpoints))
		endpoints[i].handle(w, r, body, a);
	else
		answer_error(a, 404, "ENDPOINT_NOT_FOUND", "no such path");
	arena_deinit(&arena);
}

/* ---- HTTP ---- */

static void handle(struct world *w, const struct request *r, struct answer *a)
{
	pthread_mutex_lock(&w->mutex);
	char *line;
	assert_true(asprintf(&line, "%.*s %.*s", SLICE_FMT(r->method), SLICE_FMT(r->path)) > 0);
	assert_true(w->requests_count < WORLD_REQUESTS_MAX);
	w->requests[w->requests_count++] = line;
	if (r->body.len > w->body_bytes_max)
		w->body_bytes_max = r->body.len;
	enum fault fault = FAULT_NONE;
	if (w->faults_done < w->faults_count && strstr(line, w->fault_path) != NULL) {
		size_t index = w->faults_done++;
		fault = w->faults[index].kind;
		a->retry_after_s = w->faults[index].retry_after_s;
		if (fault == FAULT_STATUS)
			answer_error(a, w->faults[index].status, "INTERNAL_ERROR", "a fault");
	}
	if (fault != FAULT_STATUS && fault != FAULT_DROP_BEFORE)
		dispatch(w, r, a);
	a->is_dropped = fault == FAULT_DROP_BEFORE || fault == FAULT_DROP_AFTER;
	pthread_cond_broadcast(&w->changed);
	while (fault == FAULT_HOLD && w->is_held)
		pthread_cond_wait(&w->changed, &w->mutex);
	pthread_mutex_unlock(&w->mutex);
}

static void send_all(int fd, const char *bytes, size_t count)
{
	while (count > 0) {
		ssize_t sent = send(fd, bytes, count, MSG_NOSIGNAL);
		if (sent <= 0)
			return;
		bytes += sent;
		count -= (size_t)sent;
	}
}

/* Takes one whole request off the buffer; false if it is not whole yet. */
static bool take_request(struct buffer *in, struct request *r, size_t *bytes_out)
{
	struct slice all = buffer_slice(in);
	const char *end = all.len == 0 ? NULL : memmem(all.ptr, all.len, "\r\n\r\n", 4);
	if (end == NULL)
		return false;
	size_t head_bytes = (size_t)(end - all.ptr) + 4;
	struct slice head = slice_first(all, head_bytes);
	struct slice line;
	uint64_t body_bytes = 0;
	assert_true(slice_next(&head, '\n', &line));
	assert_true(slice_next(&line, ' ', &r->method));
	assert_true(slice_next(&line, ' ', &r->path));
	while (slice_next(&head, '\n', &line)) {
		struct slice name;
		struct slice value = line;
		if (slice_next(&value, ':', &name) &&
		    slice_eq_ignoring_case(name, SLICE("content-length")))
			assert_true(slice_parse_u64(slice_trim(value), &body_bytes));
	}
	if (all.len - head_bytes < body_bytes)
		return false;
	r->body = slice_make(all.ptr + head_bytes, (size_t)body_bytes);
	*bytes_out = head_bytes + (size_t)body_bytes;
	return true;
}

static void close_connection(struct connection *c)
{
	close(c->fd);
	c->fd = -1;
	buffer_deinit(&c->in);
}

static void serve(struct world *w, struct connection *c)
{
	char *room = buffer_reserve(&c->in, 65536);
	assert_non_null(room);
	ssize_t count = recv(c->fd, room, 65536, 0);
	if (count <= 0) {
		close_connection(c);
		return;
	}
	buffer_commit(&c->in, (size_t)count);
	struct request r = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
	size_t bytes;
	while (c->fd >= 0 && take_request(&c->in, &r, &bytes)) {
		struct answer a = {.status = 0};
		char head[256];
		handle(w, &r, &a);
		buffer_consume(&c->in, bytes);
		if (a.is_dropped) {
			close_connection(c);
			return;
		}
		char retry[40] = "";
		if (a.retry_after_s > 0)
			snprintf(retry, sizeof retry, "Retry-After: %d\r\n", a.retry_after_s);
		int len = snprintf(head, sizeof head,
				   "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", a.status,
				   strlen(a.body), retry);
		send_all(c->fd, head, (size_t)len);
		send_all(c->fd, a.body, strlen(a.body));
	}
}

static void *server_main(void *context)
{
	struct fake_server *s = context;
	struct connection connections[CONNECTIONS_MAX];
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		connections[i].fd = -1;
	for (;;) {
		struct pollfd fds[CONNECTIONS_MAX + 2] = {{s->stop_fds[0], POLLIN, 0},
							  {s->listen_fd, POLLIN, 0}};
		for (size_t i = 0; i < CONNECTIONS_MAX; i++)
			fds[i + 2] = (struct pollfd){connections[i].fd, POLLIN, 0};
		if (poll(fds, CONNECTIONS_MAX + 2, -1) < 0)
			continue;
		if (fds[0].revents != 0)
			break;
		for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
			if (fds[i + 2].revents != 0)
				serve(s->world, &connections[i]);
		}
		size_t free_index = 0;
		while (free_index < CONNECTIONS_MAX && connections[free_index].fd >= 0)
			free_index++;
		if (fds[1].revents != 0 && free_index < CONNECTIONS_MAX) {
			connections[free_index].fd = accept(s->listen_fd, NULL, NULL);
			buffer_init(&connections[free_index].in, 256 * 1024 * 1024);
		}
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		if (connections[i].fd >= 0)
			close_connection(&connections[i]);
	}
	return NULL;
}

struct fake_server *fake_server_start(struct world *w, int port)
{
	struct fake_server *s = calloc(1, sizeof *s);
	assert_non_null(s);
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	socklen_t len = sizeof address;
	const int on = 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->world = w;
	s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listen_fd >= 0);
	assert_int_equal(setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
	assert_int_equal(bind(s->listen_fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(listen(s->listen_fd, 16), 0);
	assert_int_equal(getsockname(s->listen_fd, (struct sockaddr *)&address, &len), 0);
	s->port = ntohs(address.sin_port);
	snprintf(s->url, sizeof s->url, "http://127.0.0.1:%d", s->port);
	assert_int_equal(pipe(s->stop_fds), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
	return s;
}

void fake_server_stop(struct fake_server *s)
{
	world_release(s->world);
	close(s->stop_fds[1]);
	pthread_join(s->thread, NULL);
	close(s->stop_fds[0]);
	close(s->listen_fd);
	free(s);
}

/* ---- folders ---- */

char *temporary_folder(void)
{
	char *path = strdup("/tmp/trk-test-XXXXXX");
	assert_non_null(path);
	assert_non_null(mkdtemp(path));
	return path;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
	(void)info;
	(void)kind;
	(void)walk;
	return remove(path);
}

void temporary_folder_remove(char *path)
{
	assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
	free(path);
}
