/* Owns the workers of one version: their number, their replacement, their common end. */
#include "serve/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/environment.h"
#include "serve/inputs.h"
#include "serve/worker.h"

#define EXAMPLE_FILE "serving_input_example.json"

enum { RESTART_MS = 100, RESTART_MS_MAX = 10000, NURSE_PERIOD_MS = 50 };

enum state { STARTING, SERVING, DRAINING };
/* With workers that are to end: with none, with those that are idle or end already, with those at a request too. */
enum patience { NONE, WITH_IDLE, WITH_BUSY };

struct seat {
	struct workers *owner;
	struct worker *worker_or_null;
	unsigned failures; /* since the last answer */
	int64_t due_ms;	   /* when an empty seat is filled; by the loop's clock */
};

struct workers {
	struct workers_options options;
	struct served_model model;
	enum state state;
	bool is_open; /* somebody knows it */
	int64_t since_ms;
	size_t occupied_count; /* seats with a worker */
	struct worker_settings settings;
	struct buffer probe;
	struct arena arena; /* of the environment */
	uv_timer_t nurse;   /* fills empty seats */
	struct seat seats[WORKERS_MAX];
};

static bool make_probe(struct workers *ws, struct error *err);
static char **make_environment(struct workers *ws);
static bool fill_seat(struct seat *seat, struct error *err);
static void empty_seat_later(struct seat *seat);
static void on_ready(struct worker *w, void *owner);
static void on_answered(struct worker *w, void *owner, void *request, const struct answer *answer);
static void on_ended(struct worker *w, void *owner, void *request_or_null, const struct error *why);
static void on_nurse(uv_timer_t *timer);
static void free_if_empty(struct workers *ws);
static void drain(struct workers *ws, enum patience patience);
static void on_closed(uv_handle_t *handle);

bool workers_open(struct uv_loop_s *loop, const struct workers_options *options,
		  const struct served_model *model, struct workers **out, struct error *err)
{
	struct workers *ws = calloc(1, sizeof(*ws));
	ASSERT(options->count > 0 && options->count <= WORKERS_MAX);
	if (ws == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "no memory for workers");
	ws->options = *options;
	arena_init(&ws->arena, (size_t)64 * 1024 * 1024);
	(void)uv_timer_init(loop, &ws->nurse); /* cannot fail */
	ws->nurse.data = ws;
	bool ok = (served_model_copy(&ws->model, model) ||
		   error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "no memory for workers")) &&
		  make_probe(ws, err);
	ws->settings = (struct worker_settings){
		.command = options->command,
		.environment = ok ? make_environment(ws) : NULL,
		.version = ws->model.version,
		.probe = buffer_slice(&ws->probe),
		.start_timeout_ms = options->start_timeout_ms,
		.timeout_ms = options->timeout_ms,
		.answer_bytes_max = options->answer_bytes_max,
		.ready_cb = on_ready,
		.answered_cb = on_answered,
		.ended_cb = on_ended,
	};
	for (size_t i = 0; i < options->count && ok; i++) {
		ws->seats[i].owner = ws;
		ok = fill_seat(&ws->seats[i], err);
	}
	if (!ok) {
		workers_kill(ws);
		return false;
	}
	ws->is_open = true;
	*out = ws;
	return true;
}

const struct served_model *workers_model(const struct workers *ws)
{
	return &ws->model;
}

int64_t workers_since_ms(const struct workers *ws)
{
	return ws->since_ms;
}

size_t workers_ready_count(const struct workers *ws)
{
	size_t count = 0;
	for (size_t i = 0; i < ws->options.count; i++) {
		const struct worker *w = ws->seats[i].worker_or_null;
		count += w != NULL && worker_is_ready(w);
	}
	return count;
}

static struct worker *find_idle(const struct workers *ws)
{
	for (size_t i = 0; i < ws->options.count; i++) {
		struct worker *w = ws->seats[i].worker_or_null;
		if (w != NULL && worker_is_idle(w))
			return w;
	}
	return NULL;
}

bool workers_have_idle(const struct workers *ws)
{
	return find_idle(ws) != NULL;
}

void workers_ask(struct workers *ws, struct request *r)
{
	struct worker *w = find_idle(ws);
	ASSERT(w != NULL);
	worker_ask(w, r->id, &r->line, r);
}

void workers_close(struct workers *ws)
{
	drain(ws, WITH_BUSY);
}

void workers_kill(struct workers *ws)
{
	drain(ws, WITH_IDLE);
}

void workers_abort(struct workers *ws)
{
	drain(ws, NONE);
}

static void drain(struct workers *ws, enum patience patience)
{
	ws->state = DRAINING;
	(void)uv_timer_stop(&ws->nurse); /* always succeeds */
	/* Workers that are killed free their seats, and after the last one all of it: not before this is over. */
	ws->occupied_count++;
	for (size_t i = 0; i < ws->options.count; i++) {
		struct worker *w = ws->seats[i].worker_or_null;
		if (w == NULL)
			continue;
		if (patience == NONE)
			worker_kill(w);
		else if (worker_is_idle(w))
			worker_finish(w);
		else if (!worker_is_finishing(w) && !(patience == WITH_BUSY && worker_is_ready(w)))
			worker_kill(w);
	}
	ws->occupied_count--;
	free_if_empty(ws);
}

/* ---- start ----------------------------------------------------------------------------------- */

static bool read_example(int fd, size_t bytes, struct buffer *out)
{
	char *at = buffer_reserve(out, bytes);
	for (size_t done = 0; at != NULL && done < bytes;) {
		ssize_t count = read(fd, at + done, bytes - done);
		if (count == 0 || (count < 0 && errno != EINTR))
			return false;
		done += count > 0 ? (size_t)count : 0;
	}
	buffer_commit(out, at != NULL ? bytes : 0);
	return at != NULL;
}

/* MLflow keeps with a model, if it was given one, an example of a request. */
static bool make_probe(struct workers *ws, struct error *err)
{
	struct buffer example;
	struct stat info;
	buffer_init(&ws->probe, ws->options.line_bytes_max);
	buffer_init(&example, ws->options.line_bytes_max);
	const char *path = arena_cstr(&ws->arena,
				      arena_printf(&ws->arena, "%s/" EXAMPLE_FILE, ws->model.path));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		if (fd >= 0)
			(void)close(fd); /* only read */
		inputs_probe(0, &ws->probe);
		return true;
	}
	bool ok = read_example(fd, (size_t)info.st_size, &example) ||
		  error_set(err, ERR_INVALID_STATE, "it cannot be read");
	(void)close(fd); /* only read */
	ok = ok && inputs_from_json(buffer_slice(&example), 0, &ws->probe, err);
	buffer_deinit(&example);
	return ok || error_prefix(err, EXAMPLE_FILE " of the model");
}

static char **make_environment(struct workers *ws)
{
	const struct variable variables[] = {{"TRK_MODEL", ws->model.model},
					     {"TRK_VERSION", ws->model.version},
					     {"TRK_ALIAS", ws->model.alias},
					     {"TRK_RUN_ID", ws->model.run_id},
					     {"TRK_MODEL_PATH", ws->model.path}};
	return environment_with(&ws->arena, variables, ARRAY_COUNT(variables));
}

static bool fill_seat(struct seat *seat, struct error *err)
{
	struct workers *ws = seat->owner;
	if (!worker_start(ws->nurse.loop, &ws->settings, seat, &seat->worker_or_null, err))
		return false;
	ws->occupied_count++;
	return true;
}

/* ---- replacement ----------------------------------------------------------------------------- */

static void empty_seat_later(struct seat *seat)
{
	struct workers *ws = seat->owner;
	int64_t pause_ms = 0;
	if (seat->failures > 0) {
		unsigned doublings = seat->failures < 8 ? seat->failures - 1 : 7;
		pause_ms = (int64_t)RESTART_MS << doublings;
	}
	if (pause_ms > RESTART_MS_MAX)
		pause_ms = RESTART_MS_MAX;
	seat->failures++;
	seat->due_ms = (int64_t)uv_now(ws->nurse.loop) + pause_ms;
	if (!uv_is_active((uv_handle_t *)&ws->nurse))
		(void)uv_timer_start(&ws->nurse, on_nurse, (uint64_t)pause_ms, NURSE_PERIOD_MS);
}

static void on_nurse(uv_timer_t *timer)
{
	struct workers *ws = timer->data;
	int64_t now_ms = (int64_t)uv_now(timer->loop);
	struct error err;
	for (size_t i = 0; i < ws->options.count; i++) {
		struct seat *seat = &ws->seats[i];
		if (seat->worker_or_null != NULL || now_ms < seat->due_ms)
			continue;
		if (!fill_seat(seat, &err)) {
			ws->options.restart_cb(ws, &err, ws->options.ctx);
			empty_seat_later(seat);
		}
	}
	if (ws->occupied_count == ws->options.count)
		(void)uv_timer_stop(timer); /* always succeeds */
}

/* ---- what workers tell ----------------------------------------------------------------------- */

static void on_ready(struct worker *w, void *owner)
{
	const struct seat *seat = owner;
	struct workers *ws = seat->owner;
	ASSERT(seat->worker_or_null == w);
	if (ws->state == STARTING) {
		if (workers_ready_count(ws) < ws->options.count)
			return;
		ws->state = SERVING;
		ws->since_ms = clock_wall_ms(clock_system());
		ws->options.ready_cb(ws, ws->options.ctx);
	}
	ws->options.idle_cb(ws, ws->options.ctx);
}

static void on_answered(struct worker *w, void *owner, void *request, const struct answer *answer)
{
	struct seat *seat = owner;
	struct workers *ws = seat->owner;
	seat->failures = 0;
	ws->options.answered_cb(ws, request, answer, ws->options.ctx);
	/* The callback may have closed us, which lets idle workers finish. */
	if (ws->state == DRAINING && worker_is_idle(w))
		worker_finish(w);
	else if (ws->state == SERVING)
		ws->options.idle_cb(ws, ws->options.ctx);
}

static void on_ended(struct worker *w, void *owner, void *request_or_null, const struct error *why)
{
	struct seat *seat = owner;
	struct workers *ws = seat->owner;
	ASSERT(seat->worker_or_null == w);
	seat->worker_or_null = NULL; /* but it counts while callbacks run: they may close us */
	if (request_or_null != NULL)
		ws->options.lost_cb(ws, request_or_null, why, ws->options.ctx);
	if (ws->state == STARTING) {
		ws->options.failed_cb(ws, why, ws->options.ctx);
	} else if (ws->state == SERVING) {
		ws->options.restart_cb(ws, why, ws->options.ctx);
		empty_seat_later(seat);
	}
	ws->occupied_count--;
	free_if_empty(ws);
}

static void free_if_empty(struct workers *ws)
{
	if (ws->state == DRAINING && ws->occupied_count == 0 &&
	    !uv_is_closing((uv_handle_t *)&ws->nurse)) {
		uv_close((uv_handle_t *)&ws->nurse, on_closed);
		if (ws->is_open)
			ws->options.closed_cb(ws, ws->options.ctx);
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct workers *ws = handle->data;
	served_model_deinit(&ws->model);
	buffer_deinit(&ws->probe);
	arena_deinit(&ws->arena);
	free(ws);
}
