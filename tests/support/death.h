/* Runs something in a child process and says whether it ended in a failed assertion. */
#ifndef SUPPORT_DEATH_H
#define SUPPORT_DEATH_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* True if the child printed "assertion failed" and aborted. Call before the process has threads. */
static inline bool dies_of_assertion(void (*function)(void *), void *argument)
{
	int ends[2];
	if (pipe(ends) != 0)
		return false;
	pid_t child = fork();
	if (child == 0) {
		struct rlimit no_core = {0, 0};
		(void)setrlimit(RLIMIT_CORE, &no_core);
		(void)dup2(ends[1], STDERR_FILENO);
		function(argument);
		_exit(0);
	}
	(void)close(ends[1]);
	char text[1024];
	size_t len = 0;
	ssize_t got;
	while (len < sizeof(text) - 1 && (got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	text[len] = '\0';
	(void)close(ends[0]);
	int status = 0;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return child > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
	       strstr(text, "assertion failed") != NULL;
}

#endif
