/* Owns one worker's process: its pipes, its deadlines and its end. */
#include "serve/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include "base/checked.h"
#include "base/log.h"
#include "serve/lines.h"

enum {
	READ_BYTES = 64 * 1024,
	TALK_LINE_BYTES_MAX = 1024, /* of standard error, so that it fits a line of the log */
	LAST_WORDS_MS = 500,	    /* between the end of the process and that of its output */
	FINISH_MS = 5000,	    /* to end by itself */
};

enum state { STARTING, IDLE, BUSY, FINISHING, KILLED };
enum { STDIN, STDOUT, STDERR, PIPES };

struct worker {
	const struct worker_settings *settings;
	void *owner;
	void *request_or_null;
	uint64_t asked_id;
	enum state state;
	bool has_exited;
	bool is_at_end; /* of its standard output */
	bool is_silent; /* its standard error is at its end */
	int64_t exit_status;
	int exit_signal;
	unsigned handles_open;
	uv_process_t process;
	uv_pipe_t pipes[PIPES];
	uv_timer_t deadline;
	struct lines answers, talk;
	char bytes[READ_BYTES]; /* of one read, of either pipe */
};

/* A line on its way to the worker. */
struct sending {
	uv_write_t request;
	struct buffer line;
};

static bool spawn(struct uv_loop_s *loop, struct worker *w, struct error *err);
static void send_line(struct worker *w, struct buffer *line);
static void set_deadline(struct worker *w, int64_t timeout_ms);
static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf);
static void on_answer_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void on_talk_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void on_exited(uv_process_t *process, int64_t exit_status, int term_signal);
static void on_deadline(uv_timer_t *timer);
static void on_closed(uv_handle_t *handle);
static void end(struct worker *w, const struct error *why);
static void end_of_itself(struct worker *w);
static void close_pipe(struct worker *w, int which);

bool worker_start(struct uv_loop_s *loop, const struct worker_settings *settings, void *owner,
		  struct worker **out, struct error *err)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (w == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "no memory for a worker");
	w->settings = settings;
	w->owner = owner;
	lines_init(&w->answers, settings->answer_bytes_max);
	lines_init(&w->talk, TALK_LINE_BYTES_MAX);
	if (!spawn(loop, w, err))
		return false;
	struct buffer probe;
	buffer_init(&probe, settings->probe.len);
	buffer_append(&probe, settings->probe);
	send_line(w, &probe);
	set_deadline(w, settings->start_timeout_ms);
	*out = w;
	return true;
}

bool worker_is_idle(const struct worker *w)
{
	return w->state == IDLE && !w->has_exited && !w->is_at_end;
}

bool worker_is_ready(const struct worker *w)
{
	return w->state == BUSY || worker_is_idle(w);
}

bool worker_is_finishing(const struct worker *w)
{
	return w->state == FINISHING;
}

void worker_ask(struct worker *w, uint64_t id, struct buffer *line, void *request)
{
	ASSERT(worker_is_idle(w));
	w->state = BUSY;
	w->asked_id = id;
	w->request_or_null = request;
	send_line(w, line);
	set_deadline(w, w->settings->timeout_ms);
}

void worker_finish(struct worker *w)
{
	ASSERT(w->state == IDLE || w->state == STARTING);
	w->state = FINISHING;
	close_pipe(w, STDIN);
	set_deadline(w, FINISH_MS);
}

void worker_kill(struct worker *w)
{
	struct error why;
	(void)error_set(&why, ERR_CANCELLED, "it was stopped");
	end(w, &why);
}

/* ---- start ----------------------------------------------------------------------------------- */

/* Pipes, and not the pairs of sockets that libuv would make: what a shell opens by name, as in "> /dev/stderr", may
 * be no socket. Gives the end that is the worker's. */
static int open_pipe(uv_pipe_t *pipe, bool is_input, int *theirs_out)
{
	int ends[2], ours = is_input; /* the second is written to */
	int status =
		uv_pipe(ends, is_input ? 0 : UV_NONBLOCK_PIPE, is_input ? UV_NONBLOCK_PIPE : 0);
	if (status != 0)
		return status;
	status = uv_pipe_open(pipe, ends[ours]);
	ASSERT(status == 0); /* it is a pipe */
	*theirs_out = ends[!ours];
	return 0;
}

static int start_process(struct uv_loop_s *loop, struct worker *w, uv_stdio_container_t *stdio)
{
	char shell[] = "/bin/sh", flag[] = "-c", *command = strdup(w->settings->command);
	char *arguments[] = {shell, flag, command, NULL};
	if (command == NULL)
		return UV_ENOMEM;
	const uv_process_options_t options = {
		.exit_cb = on_exited,
		.file = shell,
		.args = arguments,
		.env = w->settings->environment,
		.flags = UV_PROCESS_DETACHED, /* a group of its own */
		.stdio_count = PIPES,
		.stdio = stdio,
	};
	w->process.data = w;
	w->handles_open++;
	int status = uv_spawn(loop, &w->process, &options);
	if (status != 0)
		uv_close((uv_handle_t *)&w->process, on_closed);
	free(command);
	return status;
}

/* On failure it frees itself. */
static bool spawn(struct uv_loop_s *loop, struct worker *w, struct error *err)
{
	uv_stdio_container_t stdio[PIPES];
	int status = 0;
	(void)uv_timer_init(loop, &w->deadline); /* cannot fail */
	w->deadline.data = w;
	w->handles_open = PIPES + 1;
	for (int i = 0; i < PIPES; i++) {
		(void)uv_pipe_init(loop, &w->pipes[i], 0); /* makes nothing yet: cannot fail */
		w->pipes[i].data = w;
		stdio[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = -1};
		if (status == 0)
			status = open_pipe(&w->pipes[i], i == STDIN, &stdio[i].data.fd);
	}
	if (status == 0)
		status = start_process(loop, w, stdio);
	for (int i = 0; i < PIPES; i++) {
		if (stdio[i].data.fd >= 0)
			(void)close(stdio[i].data.fd); /* a pipe: nothing is lost by it */
	}
	if (status == 0) {
		(void)uv_read_start((uv_stream_t *)&w->pipes[STDOUT], on_alloc, on_answer_bytes);
		(void)uv_read_start((uv_stream_t *)&w->pipes[STDERR], on_alloc, on_talk_bytes);
		return true;
	}
	w->state = KILLED;
	w->has_exited = true;
	for (int i = 0; i < PIPES; i++)
		close_pipe(w, i);
	uv_close((uv_handle_t *)&w->deadline, on_closed);
	return error_set(err, ERR_INTERNAL_ERROR, "a worker cannot be started: %s",
			 uv_strerror(status));
}

static void set_deadline(struct worker *w, int64_t timeout_ms)
{
	uv_update_time(w->deadline.loop);
	(void)uv_timer_start(&w->deadline, on_deadline, (uint64_t)timeout_ms, 0);
}

/* ---- talking --------------------------------------------------------------------------------- */

static void on_written(uv_write_t *request, int status)
{
	struct sending *sending = CONTAINER_OF(request, struct sending, request);
	(void)status; /* a worker that does not read does not answer either: the deadline ends it */
	buffer_deinit(&sending->line);
	free(sending);
}

static void send_line(struct worker *w, struct buffer *line)
{
	struct sending *sending = calloc(1, sizeof(*sending));
	if (sending == NULL || line->failed) {
		free(sending);
		buffer_deinit(line);
		return; /* no answer will come in time */
	}
	sending->line = *line;
	*line = (struct buffer){0};
	uv_buf_t bytes = uv_buf_init(sending->line.ptr_or_null, (unsigned)sending->line.len);
	if (uv_write(&sending->request, (uv_stream_t *)&w->pipes[STDIN], &bytes, 1, on_written) !=
	    0)
		on_written(&sending->request, 0);
}

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf)
{
	struct worker *w = handle->data;
	(void)suggested_bytes;
	*buf = uv_buf_init(w->bytes, READ_BYTES);
}

static bool take_answer(void *ctx, struct slice line)
{
	struct worker *w = ctx;
	struct answer answer;
	struct error err;
	uint64_t asked_id = w->state == BUSY ? w->asked_id : 0;
	if (w->state == FINISHING)
		return true; /* it may say what it likes */
	bool ok = answer_read(line, &answer, &err);
	/* One that could not read its line does not know the id. */
	if (ok && w->state == BUSY && answer.id == 0 && slice_is_present(answer.error))
		answer.id = asked_id;
	if (ok && (w->state == IDLE || answer.id != asked_id))
		ok = error_set(&err, ERR_INVALID_STATE,
			       "it answered request %llu, which it had not been asked",
			       (unsigned long long)answer.id);
	if (ok && w->state == BUSY && !slice_is_present(answer.predictions) &&
	    !slice_is_present(answer.error))
		ok = error_set(&err, ERR_INVALID_STATE,
			       "its answer has neither predictions nor an error");
	if (ok && w->state == STARTING && slice_is_present(answer.error))
		ok = error_set(&err, ERR_INVALID_STATE, "it answered the probe with an error: %.*s",
			       SLICE_FMT(slice_first(answer.error, ERROR_MESSAGE_BYTES_MAX / 2)));
	if (!ok) {
		end(w, &err);
		return false;
	}
	bool was_starting = w->state == STARTING;
	void *request = w->request_or_null;
	w->state = IDLE;
	w->request_or_null = NULL;
	(void)uv_timer_stop(&w->deadline); /* always succeeds */
	if (was_starting)
		w->settings->ready_cb(w, w->owner);
	else
		w->settings->answered_cb(w, w->owner, request, &answer);
	return w->state != KILLED;
}

static void on_answer_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct worker *w = stream->data;
	struct error err;
	bool is_too_long = false;
	if (count < 0) {
		(void)uv_read_stop(stream); /* always succeeds */
		w->is_at_end = true;
		end_of_itself(w);
		return;
	}
	struct slice bytes = slice_make(buf->base, (size_t)count);
	if (w->state == KILLED || lines_take(&w->answers, bytes, take_answer, w, &is_too_long) ||
	    !is_too_long)
		return;
	(void)error_set(&err, ERR_INVALID_STATE,
			"its answer is longer than %zu bytes, or needs more memory than there is",
			w->settings->answer_bytes_max);
	end(w, &err);
}

static bool log_talk(void *ctx, struct slice line)
{
	const struct worker *w = ctx;
	char quoted[LOG_LINE_BYTES_MAX - 256]; /* beside the other values */
	if (line.len == 0)
		return true;
	log_event(LOG_INFO, "worker_said", "pid=%d version=%s text=%s",
		  uv_process_get_pid(&w->process), w->settings->version,
		  log_quote(line, quoted, sizeof(quoted)));
	return true;
}

static void on_talk_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct worker *w = stream->data;
	struct lines *talk = &w->talk;
	bool is_too_long = false;
	if (count < 0) {
		(void)uv_read_stop(stream); /* always succeeds */
		(void)log_talk(w, buffer_slice(&talk->held));
		w->is_silent = true;
		if (w->has_exited)
			end_of_itself(w);
		return;
	}
	struct slice bytes = slice_make(buf->base, (size_t)count);
	/* In pieces that end where a line gets too long for the log: there it is cut, and its rest is a line. */
	while (bytes.len > 0) {
		struct slice piece = slice_first(bytes, TALK_LINE_BYTES_MAX - talk->held.len);
		bytes = slice_from(bytes, piece.len);
		bool ok = lines_take(talk, piece, log_talk, w, &is_too_long);
		if (ok && talk->held.len < TALK_LINE_BYTES_MAX)
			continue;
		(void)log_talk(w, buffer_slice(&talk->held));
		buffer_reset(&talk->held); /* also after a lack of memory */
	}
}

/* ---- the end --------------------------------------------------------------------------------- */

static void on_exited(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct worker *w = process->data;
	w->has_exited = true;
	w->exit_status = exit_status;
	w->exit_signal = term_signal;
	/* What it left behind in its group. The number cannot have been given to another process group yet. */
	(void)kill(-uv_process_get_pid(process), SIGKILL); /* nobody left in it is what is wanted */
	if (w->state == KILLED)
		uv_close((uv_handle_t *)process, on_closed);
	else
		end_of_itself(w);
}

static void end_because_it_ended(struct worker *w)
{
	struct error why;
	if (!w->has_exited)
		(void)error_set(&why, ERR_INVALID_STATE, "it closed its standard output");
	else if (w->exit_signal != 0)
		(void)error_set(&why, ERR_INVALID_STATE, "it was killed by signal %d",
				w->exit_signal);
	else
		(void)error_set(&why, ERR_INVALID_STATE, "it ended with status %lld",
				(long long)w->exit_status);
	end(w, &why);
}

/* The process and its output end at the same time, more or less: an answer, or its last words, may be between. */
static void end_of_itself(struct worker *w)
{
	if (w->state == KILLED)
		return;
	if (w->has_exited && w->is_at_end && w->is_silent)
		end_because_it_ended(w);
	else if (w->has_exited ||
		 w->state != FINISHING) /* it may close its output, and take its time */
		set_deadline(w, LAST_WORDS_MS);
}

static void on_deadline(uv_timer_t *timer)
{
	struct worker *w = timer->data;
	const struct worker_settings *s = w->settings;
	struct error why;
	if (w->has_exited || w->is_at_end) {
		end_because_it_ended(w);
		return;
	}
	(void)error_set(&why, ERR_REQUEST_TIMEOUT, "it did not end within %d ms", FINISH_MS);
	if (w->state == STARTING)
		(void)error_set(&why, ERR_REQUEST_TIMEOUT,
				"it did not answer the probe within %lld ms",
				(long long)s->start_timeout_ms);
	else if (w->state == BUSY)
		(void)error_set(&why, ERR_REQUEST_TIMEOUT, "it did not answer within %lld ms",
				(long long)s->timeout_ms);
	end(w, &why);
}

static void end(struct worker *w, const struct error *why)
{
	if (w->state == KILLED)
		return;
	void *request = w->request_or_null;
	w->state = KILLED;
	w->request_or_null = NULL;
	if (w->has_exited)
		uv_close((uv_handle_t *)&w->process, on_closed);
	else
		(void)kill(-uv_process_get_pid(&w->process), SIGKILL); /* on_exited goes on */
	for (int i = 0; i < PIPES; i++)
		close_pipe(w, i);
	uv_close((uv_handle_t *)&w->deadline, on_closed);
	w->settings->ended_cb(w, w->owner, request, why);
}

static void close_pipe(struct worker *w, int which)
{
	uv_handle_t *handle = (uv_handle_t *)&w->pipes[which];
	if (!uv_is_closing(handle))
		uv_close(handle, on_closed);
}

static void on_closed(uv_handle_t *handle)
{
	struct worker *w = handle->data;
	if (--w->handles_open > 0)
		return;
	lines_deinit(&w->answers);
	lines_deinit(&w->talk);
	free(w);
}
