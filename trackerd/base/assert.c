/* Owns the end of a process that found a mistake of ours. */
#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void assert_failed(const char *condition, const char *file, int line, const char *function)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "%s:%d: %s: assertion failed: %s\n", file, line,
			   function, condition);
	if (len >= (int)sizeof(text)) {
		len = (int)sizeof(text) - 1;
		text[len - 1] = '\n';
	}
	/* One write, so that lines of threads do not mix; nothing can be done if it fails. */
	if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
		abort();
	abort();
}
