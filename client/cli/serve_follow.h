/* The process beside "trk serve" that knows the registry: where the reference points, how its files come into the
 * directory, and what is told of it. serve/follower.h starts it and says what lines it writes and reads.
 *
 * The directory is that of a deployment (deploy_directory.h), locked while it is served: `current` is the version that
 * workers took last, and what is served when the server of the registry is away at the start. */
#ifndef CLI_SERVE_FOLLOW_H
#define CLI_SERVE_FOLLOW_H

#include "cli/cli.h"

struct serve_follow {
	struct cli *cli;
	const char *reference; /* NAME@ALIAS or NAME/VERSION */
	const char *model;
	const char *alias; /* "" for a version */
	const char *directory;
	bool is_watching;
	bool is_reporting; /* tells the daemon what is served */
	int64_t heartbeat_ms;
	const char *target, *environment;
};

/* Works until its input ends; `ctx` is a struct serve_follow. Gives the exit status. */
int serve_follow_run(void *ctx, int input_fd, int output_fd, const char *active_name,
		     const char *address);

#endif
