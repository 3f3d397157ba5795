/* Commands that a deployment runs: its hook, which tells a service of the new model, and its health
 * check. */
#ifndef CLI_DEPLOY_HOOK_H
#define CLI_DEPLOY_HOOK_H

#include "cli/cli.h"
#include "serve/environment.h"

struct deploy_command {
	const char *title;   /* "the hook", for sentences */
	const char *command; /* for /bin/sh -c */
	const struct variable *variables; /* added to trk's own environment */
	size_t variable_count;
	int64_t timeout_s;
	/* Does Ctrl-C end it? Not when it puts the old model back. */
	bool is_interruptible;
};

/* Runs the command in a process group of its own, with nothing on its standard input, until its shell
 * ends. Fails, with the last lines that it printed, when it ends with a status other than 0; with
 * REQUEST_TIMEOUT when it takes longer, and CANCELLED after Ctrl-C: then its whole group is asked to end
 * and killed two seconds later. What a hook leaves running in the background goes on, but has to send
 * its output elsewhere. */
MUST_CHECK bool deploy_command_run(struct cli *cli, const struct deploy_command *command,
				   struct error *err);

#endif
