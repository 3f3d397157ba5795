/* What every command of trk is given, and what it answers: an exit status.
 *
 * All memory is the arena's, freed when the process ends. Results go to standard output, talk to standard error. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "cli/api.h"
#include "cli/arguments.h"

enum exit_status {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_CONFLICT = 4,
	EXIT_NO_ACCESS = 5,
	EXIT_UNREACHABLE = 6,
	EXIT_TIMED_OUT = 8,
};

struct cli {
	struct arena *arena;
	const struct arguments *arguments;
	const char *url;
	bool json;          /* --json */
	struct api *api;    /* opened on first use by cli_api */
	struct buffer out;  /* JSON that cli_print_json prints */
	struct json_writer w;
};

/* Prints "trk: sentence" and gives the exit status that fits the error. */
int cli_fail(const struct error *err);
/* Prints "trk: sentence" and where help is; EXIT_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);

/* GET of a path under /api; the reply lives in the arena. */
MUST_CHECK bool cli_get(struct cli *cli, struct slice path, struct json_value **reply, struct error *err);
/* Another method with a JSON body made in cli->w (begun by cli_body). */
MUST_CHECK bool cli_send(struct cli *cli, const char *method, const char *path, struct json_value **reply,
			 struct error *err);
/* Begins a JSON text in cli->w: a request body, or the output. */
struct json_writer *cli_begin_json(struct cli *cli);
/* Prints what was written to cli->w, with a newline; EXIT_OK. */
int cli_print_json(struct cli *cli);
/* The connection; opened once. */
MUST_CHECK bool cli_api(struct cli *cli, struct error *err);

/* Percent-encoded for a query value, or for a path (slashes kept). */
struct slice cli_encode(struct cli *cli, struct slice value);
struct slice cli_encode_path(struct cli *cli, struct slice path);

#endif
