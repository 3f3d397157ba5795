/* Owns the running of a deployment's commands: their environment, time limit and last words. */
#include "cli/deploy_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { TAIL_BYTES = 600, GRACE_MS = 2000, POLL_MS = 200 };

/* The last bytes of the output. */
struct tail {
	char bytes[TAIL_BYTES];
	size_t len;
};

struct child {
	pid_t pid;
	int pid_fd, output_fd;
	struct tail tail;
};

enum outcome { ENDED, TIMED_OUT, INTERRUPTED };

/* ---- starting -------------------------------------------------------------------------------- */

/* 0, or an errno. */
static int spawn(struct cli *cli, const struct deploy_command *c, int output_fd, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	char shell[] = "sh", flag[] = "-c",
	     *argv[] = {shell, flag, arena_cstr(cli->arena, slice_from_cstr(c->command)), NULL};
	int status = posix_spawn_file_actions_init(&files);
	if (status != 0)
		return status;
	status = posix_spawnattr_init(&attributes);
	if (status != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return status;
	}
	(void)sigemptyset(&defaults); /* valid arguments: these cannot fail */
	(void)sigaddset(&defaults, SIGPIPE);
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
	status = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (status == 0)
		status = posix_spawn_file_actions_adddup2(&files, output_fd, STDOUT_FILENO);
	if (status == 0)
		status = posix_spawn_file_actions_adddup2(&files, output_fd, STDERR_FILENO);
	if (status == 0)
		status = posix_spawn(pid, "/bin/sh", &files, &attributes, argv,
				     environment_with(cli->arena, c->variables, c->variable_count));
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&files);
	return status;
}

static void kill_group(const struct child *child, int signal_number)
{
	(void)kill(-child->pid, signal_number); /* nobody left in it is what is wanted */
}

static bool start(struct cli *cli, const struct deploy_command *c, struct child *child,
		  struct error *err)
{
	int ends[2];
	*child = (struct child){.pid_fd = -1, .output_fd = -1};
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return cli_fail_file(err, "start", c->title);
	/* Only our end is non-blocking: the command's programs expect writes that wait. */
	int status = fcntl(ends[1], F_SETFL, 0) == 0 ? spawn(cli, c, ends[1], &child->pid) : errno;
	(void)close(ends[1]);
	child->output_fd = ends[0];
	if (status == 0) {
		child->pid_fd = pidfd_open(child->pid, 0);
		if (child->pid_fd >= 0)
			return true;
		status = errno;
		kill_group(child, SIGKILL);
		(void)waitpid(child->pid, NULL, 0);
	}
	(void)close(child->output_fd);
	errno = status;
	return cli_fail_file(err, "start", c->title);
}

/* ---- watching -------------------------------------------------------------------------------- */

static void keep_tail(struct tail *tail, const char *bytes, size_t len)
{
	if (len > TAIL_BYTES) {
		bytes += len - TAIL_BYTES;
		len = TAIL_BYTES;
	}
	size_t kept = tail->len + len > TAIL_BYTES ? TAIL_BYTES - len : tail->len;
	memmove(tail->bytes, tail->bytes + tail->len - kept, kept);
	memcpy(tail->bytes + kept, bytes, len);
	tail->len = kept + len;
}

/* Reads what is there; false at the end of the output. */
static bool drain(struct child *child)
{
	char block[4096];
	/* A bounded number of blocks: a command that never stops printing must not hold us here. */
	for (int i = 0; i < 64; i++) {
		ssize_t count = read(child->output_fd, block, sizeof(block));
		if (count == 0)
			return false;
		if (count < 0)
			return errno == EAGAIN || errno == EINTR;
		keep_tail(&child->tail, block, (size_t)count);
	}
	return true;
}

/* Until the shell has ended, `until_ms` has come, or Ctrl-C. */
static enum outcome watch(struct child *child, int64_t until_ms, const struct stop *stop,
			  bool is_interruptible)
{
	bool has_output = true;
	for (;;) {
		int64_t left = until_ms - clock_monotonic_ms(clock_system());
		struct pollfd fds[] = {
			{.fd = child->pid_fd, .events = POLLIN},
			{.fd = has_output ? child->output_fd : -1, .events = POLLIN}};
		if (left <= 0)
			return TIMED_OUT;
		/* In short turns: Ctrl-C may come between the question and the wait. */
		int ready = poll(fds, ARRAY_COUNT(fds), left < POLL_MS ? (int)left : POLL_MS);
		if (stop_is_asked(stop) && is_interruptible)
			return INTERRUPTED;
		if (ready > 0 && has_output)
			has_output = drain(child);
		if (ready > 0 && fds[0].revents != 0)
			return ENDED;
	}
}

/* ---- the end --------------------------------------------------------------------------------- */

/* "; its last lines: a | b", or "". */
static struct slice last_words(struct arena *arena, const struct tail *tail)
{
	enum { LINES = 5 };
	struct slice rest = slice_trim(slice_make(tail->bytes, tail->len)), line, text = SLICE("");
	size_t at = rest.len;
	for (int lines = 0; at > 0; at--) {
		if (rest.ptr[at - 1] == '\n' && ++lines == LINES)
			break;
	}
	rest = slice_from(rest, at);
	if (rest.len == 0)
		return text;
	while (slice_next(&rest, '\n', &line))
		text = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(text), text.len > 0 ? " | " : "",
				    SLICE_FMT(line));
	return arena_printf(arena, "; its last lines: %.*s", SLICE_FMT(text));
}

static bool judge(struct cli *cli, const struct deploy_command *c, const struct child *child,
		  enum outcome outcome, int status, struct error *err)
{
	struct slice words = last_words(cli->arena, &child->tail);
	if (outcome == INTERRUPTED)
		return cli_fail_interrupted(err);
	if (outcome == TIMED_OUT)
		return error_set(err, ERR_REQUEST_TIMEOUT, "%s took longer than %lld s%.*s",
				 c->title, (long long)c->timeout_s, SLICE_FMT(words));
	if (WIFSIGNALED(status))
		return error_set(err, ERR_INVALID_STATE, "%s was killed by signal %d%.*s", c->title,
				 WTERMSIG(status), SLICE_FMT(words));
	if (WEXITSTATUS(status) != 0)
		return error_set(err, ERR_INVALID_STATE, "%s ended with status %d%.*s", c->title,
				 WEXITSTATUS(status), SLICE_FMT(words));
	return true;
}

bool deploy_command_run(struct cli *cli, const struct deploy_command *command, struct error *err)
{
	struct child child;
	int status = 0;
	if (!start(cli, command, &child, err))
		return false;
	int64_t now = clock_monotonic_ms(clock_system());
	enum outcome outcome = watch(&child, now + command->timeout_s * 1000, &cli->fetcher.stop,
				     command->is_interruptible);
	if (outcome != ENDED) {
		kill_group(&child, SIGTERM);
		(void)watch(&child, clock_monotonic_ms(clock_system()) + GRACE_MS,
			    &cli->fetcher.stop, false);
		kill_group(&child, SIGKILL);
	}
	while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)close(child.pid_fd);
	(void)close(child.output_fd);
	return judge(cli, command, &child, outcome, status, err);
}
