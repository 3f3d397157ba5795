/* Owns the process that follows the registry: its start, its pipes, its end. */
#include "serve/follower.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "base/checked.h"
#include "base/log.h"
#include "serve/lines.h"

enum {
	RESTART_MS = 500,
	RESTART_MS_MAX = 30000,
	END_MS = 5000, /* for what it writes down at its end */
	ARENA_BYTES_MAX = 1024 * 1024,
};

struct follower {
	uv_loop_t *loop;
	struct follower_options options;
	pid_t pid; /* 0 while there is none */
	int verdict_fd;
	unsigned failures;
	bool is_stopping;
	unsigned handles_open;
	uv_pipe_t messages;
	uv_timer_t timer; /* until it is started again, or until it must have ended */
	struct lines lines;
	char bytes[FOLLOW_MESSAGE_BYTES_MAX];
};

static bool start(struct follower *f, struct error *err);
__attribute__((noreturn)) static void become(const struct follower *f, int input_fd, int output_fd);
static void start_later(struct follower *f);
static void on_timer(uv_timer_t *timer);
static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf);
static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf);
static void end(struct follower *f);
static void close_verdicts(struct follower *f);
static void on_closed(uv_handle_t *handle);

bool follower_start(struct uv_loop_s *loop, const struct follower_options *options,
		    struct follower **out, struct error *err)
{
	struct follower *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "out of memory");
	f->loop = loop;
	f->options = *options;
	f->verdict_fd = -1;
	(void)uv_timer_init(loop, &f->timer); /* cannot fail */
	f->timer.data = f;
	f->handles_open = 1;
	lines_init(&f->lines, FOLLOW_MESSAGE_BYTES_MAX);
	if (!start(f, err)) {
		follower_stop(f);
		return false;
	}
	*out = f;
	return true;
}

void follower_tell(struct follower *f, bool is_accepted, const char *reason)
{
	const struct follow_message m = {.kind = is_accepted ? FOLLOW_ACCEPTED : FOLLOW_REFUSED,
					 .text = reason};
	struct buffer line;
	buffer_init(&line, FOLLOW_MESSAGE_BYTES_MAX);
	follow_message_write(&m, &line);
	struct slice text = buffer_slice(&line);
	/* It waits for this line, so the pipe is empty and takes it whole. One that is gone gets none. */
	if (f->verdict_fd >= 0 && write(f->verdict_fd, text.ptr, text.len) != (ssize_t)text.len)
		log_event(LOG_WARN, "follower_not_told", "errno=%d", errno);
	buffer_deinit(&line);
}

void follower_stop(struct follower *f)
{
	f->is_stopping = true;
	if (f->pid == 0) {
		uv_close((uv_handle_t *)&f->timer, on_closed);
		return;
	}
	/* What it was told already it still reads, and writes down. */
	close_verdicts(f);
	(void)kill(f->pid, SIGTERM); /* it is not reaped yet */
	(void)uv_timer_start(&f->timer, on_timer, END_MS, 0);
}

/* ---- start ----------------------------------------------------------------------------------- */

static bool start(struct follower *f, struct error *err)
{
	int verdicts[2], messages[2];
	if (pipe2(verdicts, O_CLOEXEC) != 0)
		return error_set(err, ERR_INTERNAL_ERROR, "no pipe: %s", uv_strerror(-errno));
	if (pipe2(messages, O_CLOEXEC) != 0) {
		(void)error_set(err, ERR_INTERNAL_ERROR, "no pipe: %s", uv_strerror(-errno));
		(void)close(verdicts[0]);
		(void)close(verdicts[1]);
		return false;
	}
	pid_t pid = fork();
	int reason = errno;
	if (pid == 0)
		become(f, verdicts[0], messages[1]);
	(void)close(verdicts[0]);
	(void)close(messages[1]);
	if (pid < 0) {
		(void)close(verdicts[1]);
		(void)close(messages[0]);
		return error_set(err, ERR_INTERNAL_ERROR, "no process: %s", uv_strerror(-reason));
	}
	f->pid = pid;
	f->verdict_fd = verdicts[1];
	f->handles_open++;
	(void)fcntl(f->verdict_fd, F_SETFL, O_NONBLOCK); /* a pipe's flags can be set */
	(void)uv_pipe_init(f->loop, &f->messages, 0);	 /* cannot fail, nor can the next two */
	f->messages.data = f;
	(void)uv_pipe_open(&f->messages, messages[0]);
	(void)uv_read_start((uv_stream_t *)&f->messages, on_alloc, on_bytes);
	return true;
}

/* In the child: nothing of the loop is touched, and nothing but the pipes and standard error is kept open. */
static void become(const struct follower *f, int input_fd, int output_fd)
{
	static const int defaults[] = {SIGTERM, SIGINT, SIGHUP, SIGCHLD};
	pid_t server = getppid();
	char active_name[512];
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM); /* valid arguments */
	if (getppid() != server)
		_exit(1);
	(void)setpgid(0, 0); /* Ctrl-C is the server's to handle */
	for (size_t i = 0; i < ARRAY_COUNT(defaults); i++)
		(void)signal(defaults[i], SIG_DFL); /* valid arguments */
	(void)snprintf(active_name, sizeof(active_name), "%s",
		       f->options.active_name(f->options.ctx));
	/* To places beyond each other's, then down to 0 and 1. */
	int in = fcntl(input_fd, F_DUPFD, 10), out = fcntl(output_fd, F_DUPFD, 10);
	if (in < 0 || out < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    close_range(STDERR_FILENO + 1, ~0U, 0) != 0)
		_exit(1);
	int status = f->options.run(f->options.run_ctx, STDIN_FILENO, STDOUT_FILENO, active_name,
				    f->options.address);
	_exit(status);
}

static void start_later(struct follower *f)
{
	unsigned doublings = f->failures < 6 ? f->failures : 6;
	int64_t pause_ms = (int64_t)RESTART_MS << doublings;
	f->failures++;
	if (pause_ms > RESTART_MS_MAX)
		pause_ms = RESTART_MS_MAX;
	(void)uv_timer_start(&f->timer, on_timer, (uint64_t)pause_ms, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct follower *f = timer->data;
	struct error err;
	char quoted[256];
	if (f->is_stopping) {
		(void)kill(f->pid, SIGKILL); /* the end of its output follows */
		return;
	}
	if (start(f, &err))
		return;
	log_event(LOG_WARN, "follower_not_started", "reason=%s",
		  log_quote(slice_from_cstr(err.message), quoted, sizeof(quoted)));
	start_later(f);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void on_alloc(uv_handle_t *handle, size_t suggested_bytes, uv_buf_t *buf)
{
	struct follower *f = handle->data;
	(void)suggested_bytes;
	*buf = uv_buf_init(f->bytes, sizeof(f->bytes));
}

static bool take_message(void *ctx, struct slice line)
{
	struct follower *f = ctx;
	struct follow_message message;
	struct arena arena;
	struct error err;
	arena_init(&arena, ARENA_BYTES_MAX);
	bool ok = follow_message_read(line, &arena, &message, &err);
	if (ok) {
		f->failures = 0;
		f->options.message_cb(&message, f->options.ctx);
	}
	arena_deinit(&arena);
	return ok && !f->is_stopping;
}

static void on_bytes(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
	struct follower *f = stream->data;
	bool is_too_long;
	if (count == 0 || (count > 0 && f->is_stopping))
		return;
	if (count > 0 && lines_take(&f->lines, slice_make(buf->base, (size_t)count), take_message,
				    f, &is_too_long))
		return;
	if (f->is_stopping && count > 0)
		return; /* by what the message said */
	end(f);
	if (f->is_stopping) {
		uv_close((uv_handle_t *)&f->timer, on_closed);
		return;
	}
	log_event(LOG_WARN, "follower_ended", "it is started again");
	start_later(f);
}

/* ---- the end --------------------------------------------------------------------------------- */

static void end(struct follower *f)
{
	(void)kill(f->pid, SIGKILL); /* it may have ended: it is not reaped yet */
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	f->pid = 0;
	close_verdicts(f);
	lines_deinit(&f->lines);
	lines_init(&f->lines, FOLLOW_MESSAGE_BYTES_MAX);
	uv_close((uv_handle_t *)&f->messages, on_closed);
}

static void close_verdicts(struct follower *f)
{
	if (f->verdict_fd >= 0)
		(void)close(f->verdict_fd); /* a pipe: nothing is lost by it */
	f->verdict_fd = -1;
}

static void on_closed(uv_handle_t *handle)
{
	struct follower *f = handle->data;
	if (--f->handles_open > 0)
		return;
	lines_deinit(&f->lines);
	free(f);
}
