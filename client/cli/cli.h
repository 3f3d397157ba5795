/* What every command of trk is given, and what commands share: talking to the server, printing,
 * failing.
 *
 * All memory is the arena's, freed when the process ends; running out of it ends the process with
 * a sentence. Results go to standard output, talk to standard error. One thread. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_scanner.h"
#include "base/json_writer.h"
#include "cli/api.h"
#include "cli/arguments.h"

/* The exit statuses, which scripts may rely on. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_NOT_FOUND = 3,
	CLI_CONFLICT = 4,
	CLI_NO_ACCESS = 5,
	CLI_UNREACHABLE = 6,
	CLI_GATE_FAILED = 7,
	CLI_TIMED_OUT = 8,
	CLI_INCOMPLETE = 9,
	CLI_INTERRUPTED = 130,
};

struct command;

struct cli {
	struct arena *arena;
	struct arguments arguments;
	const struct command *command;
	const char *url;
	bool url_is_given; /* by --url, not by the environment */
	bool json;	   /* --json */
	bool quiet;	   /* --quiet */
	/* When a command failed: the status, where the error's code does not tell; else CLI_OK. */
	enum cli_exit exit;
	struct api *api_or_null; /* opened on first use */
	struct fetcher fetcher;	 /* over the same connection, for code that the library shares */
	/* Called between steps of long work, some times a second; NULL for nothing. */
	void (*tick)(void *context);
	void *tick_context;
	bool is_service; /* its end by a signal is a success */
	struct buffer text;	 /* what `w` writes into */
	struct json_writer w;
};

/* ---- failing --------------------------------------------------------------------------------- */

/* A mistake in the command line: sets *err and the exit status 2; returns false. */
bool cli_fail_usage(struct cli *cli, struct error *err, const char *format, ...) PRINTF_LIKE(3, 4);
/* "verb path: No such file or directory", from errno; returns false. */
bool cli_fail_file(struct error *err, const char *verb, const char *path);
/* The exit status of an error's code. */
enum cli_exit cli_exit_of(enum error_code code);
/* Was Ctrl-C pressed, or the process asked to end? Then long work stops with the error that
 * cli_fail_interrupted sets. */
bool cli_is_interrupted(void);
/* Makes it so; for a process that was forked off and took the signals' defaults. */
void cli_watch_signals(void);
bool cli_fail_interrupted(struct error *err);

/* A file without a name in $TMPDIR or /tmp, gone when it is closed; -1 with err set on failure. */
int cli_open_temporary(struct cli *cli, struct error *err);

/* ---- the server ------------------------------------------------------------------------------ */

/* Who works here: $TRK_USER, else the login name; "" if unknown. */
const char *cli_user(void);
MUST_CHECK bool cli_api(struct cli *cli, struct api **out, struct error *err);
/* GET of a path made like printf; arguments are already encoded (cli_encode). The reply lives in
 * the arena. */
MUST_CHECK bool cli_get(struct cli *cli, struct json_value **reply, struct error *err,
			const char *format, ...) PRINTF_LIKE(4, 5);
/* Sends the JSON that was written to cli->w (begun by cli_begin_json). */
MUST_CHECK bool cli_send(struct cli *cli, const char *method, const char *path,
			 struct json_value **reply, struct error *err);
/* Sets cli->fetcher; `cli` must stay where it is. */
void cli_init_fetcher(struct cli *cli);
/* Percent-encoded for a query value, or as a path, where "/" stays. NUL-terminated. */
const char *cli_encode(struct cli *cli, struct slice value);
const char *cli_encode_path(struct cli *cli, struct slice path);

/* ---- printing -------------------------------------------------------------------------------- */

/* Begins a JSON text in cli->w: the body of a request, or what is printed. */
struct json_writer *cli_begin_json(struct cli *cli);
/* Prints what was written to cli->w, and a newline. */
MUST_CHECK bool cli_print_json(struct cli *cli, struct error *err);
/* For --json: prints a reply of the server as it came. */
MUST_CHECK bool cli_print_reply(struct cli *cli, const struct json_value *reply, struct error *err);
/* A line of text, with nothing in it that a terminal would obey. */
void cli_print_line(struct cli *cli, struct slice text);
/* A line of talk to standard error; nothing with --quiet or --json. */
void cli_say(const struct cli *cli, const char *format, ...) PRINTF_LIKE(2, 3);
/* Asks "question [y/N]" on a terminal. Without one --yes must be given: otherwise that is a
 * mistake in the command line. True with --yes, without a question. */
MUST_CHECK bool cli_confirm(struct cli *cli, const char *question, struct error *err);

/* ---- shorthands ------------------------------------------------------------------------------ */

/* A whole number from `least` on; `otherwise` when the option was not given. */
MUST_CHECK bool cli_number(struct cli *cli, const char *name, int64_t least, int64_t otherwise,
			   int64_t *out, struct error *err);

static inline const char *cli_word(const struct cli *cli, size_t index)
{
	return index < cli->arguments.word_count ? cli->arguments.words[index] : NULL;
}

static inline const char *cli_option(const struct cli *cli, const char *name, const char *otherwise)
{
	return arguments_value(&cli->arguments, name, otherwise);
}

static inline bool cli_flag(const struct cli *cli, const char *name)
{
	return arguments_has(&cli->arguments, name);
}

#endif
