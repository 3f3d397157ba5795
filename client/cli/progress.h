/* A progress bar on standard error, with rate and time left; nothing where standard error is no
 * terminal. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/cli.h"

struct progress {
	struct cli *cli;
	const char *title;
	const char *unit_or_null; /* "runs": what is counted, where it is not bytes */
	int64_t total;		  /* bytes, or units; 0 if not known */
	int64_t done;
	int64_t skipped; /* of `done`: was there before; not counted in the rate */
	int64_t started_ns, shown_ns;
	bool is_on;
};

/* `title` is kept. Off with --quiet and --json, too. */
void progress_begin(struct progress *p, struct cli *cli, const char *title, int64_t total);
void progress_set(struct progress *p, int64_t done);
/* What a download tells (download.h); `context` is the bar. */
void progress_moved(void *context, int64_t done, int64_t skipped);
void progress_add(struct progress *p, int64_t bytes);
/* Takes the bar away until it moves again, for a line of talk. */
void progress_clear(const struct progress *p);
/* Takes the bar away. */
void progress_end(struct progress *p);

#endif
