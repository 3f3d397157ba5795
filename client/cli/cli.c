/* Owns what all commands share: errors, the connection, JSON in and out. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/terminal.h"
#include "src/status.h"

enum { JSON_BYTES_MAX = 1024 * 1024 * 1024 };

/* ---- failing --------------------------------------------------------------------------------- */

// clang-format off
static const struct {
	enum error_code code;
	enum cli_exit exit;
} exits[] = { /* all others: CLI_FAILED */
	{ERR_NOT_FOUND,               CLI_NOT_FOUND},
	{ERR_RESOURCE_DOES_NOT_EXIST, CLI_NOT_FOUND},
	{ERR_ENDPOINT_NOT_FOUND,      CLI_NOT_FOUND},
	{ERR_RESOURCE_ALREADY_EXISTS, CLI_CONFLICT},
	{ERR_RESOURCE_CONFLICT,       CLI_CONFLICT},
	{ERR_PRECONDITION_FAILED,     CLI_CONFLICT},
	{ERR_REQUIREMENTS_NOT_MET,    CLI_GATE_FAILED},
	{ERR_UNAUTHENTICATED,         CLI_NO_ACCESS},
	{ERR_PERMISSION_DENIED,       CLI_NO_ACCESS},
	{ERR_TEMPORARILY_UNAVAILABLE, CLI_UNREACHABLE},
	{ERR_REQUEST_LIMIT_EXCEEDED,  CLI_UNREACHABLE},
	{ERR_REQUEST_TIMEOUT,         CLI_TIMED_OUT},
	{ERR_CANCELLED,               CLI_INTERRUPTED},
};
// clang-format on

enum cli_exit cli_exit_of(enum error_code code)
{
	for (size_t i = 0; i < ARRAY_COUNT(exits); i++) {
		if (exits[i].code == code)
			return exits[i].exit;
	}
	return CLI_FAILED;
}

bool cli_fail_usage(struct cli *cli, struct error *err, const char *format, ...)
{
	char sentence[ERROR_MESSAGE_BYTES_MAX];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	cli->exit = CLI_USAGE;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "%s", sentence);
}

bool cli_fail_file(struct error *err, const char *verb, const char *path)
{
	return status_local_error(err, verb, path);
}

bool cli_fail_interrupted(struct error *err)
{
	return error_set(err, ERR_CANCELLED, "interrupted");
}

static bool is_interrupted(void *context)
{
	const struct cli *cli = context;
	if (cli->tick != NULL)
		cli->tick(cli->tick_context);
	return cli_is_interrupted();
}

/* ---- files ----------------------------------------------------------------------------------- */

int cli_open_temporary(struct cli *cli, struct error *err)
{
	const char *folder = getenv("TMPDIR"); // NOLINT(concurrency-mt-unsafe): one thread
	if (folder == NULL || folder[0] == '\0')
		folder = "/tmp";
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	char *path = arena_cstr(cli->arena, arena_printf(cli->arena, "%s/trk-XXXXXX", folder));
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		(void)cli_fail_file(err, "make a temporary file in", folder);
	else
		(void)unlink(path); /* if it stays, it is a file too many */
	return fd;
}

/* ---- the server ------------------------------------------------------------------------------ */

const char *cli_user(void)
{
	const char *name = getenv("TRK_USER"); // NOLINT(concurrency-mt-unsafe): one thread
	const struct passwd *entry =
		name == NULL ? getpwuid(geteuid()) : NULL; // NOLINT(concurrency-mt-unsafe)
	if (entry != NULL)
		name = entry->pw_name;
	return name != NULL ? name : "";
}

bool cli_api(struct cli *cli, struct api **out, struct error *err)
{
	char cause[80];
	const struct command *c = cli->command;
	if (cli->api_or_null == NULL) {
		if (!api_open(cli->url, &cli->api_or_null, err)) {
			cli->exit = CLI_USAGE;
			return false;
		}
		(void)snprintf(cause, sizeof(cause), "trk %s%s%s", c->noun,
			       c->verb_or_null != NULL ? " " : "",
			       c->verb_or_null != NULL ? c->verb_or_null : "");
		api_identify(cli->api_or_null, cli_user(), cause);
	}
	*out = cli->api_or_null;
	return true;
}

static bool get(void *context, const char *path, struct arena *arena, struct json_value **reply,
		struct error *err)
{
	struct api *api;
	return cli_api(context, &api, err) &&
	       api_call(api, "GET", slice_from_cstr(path), (struct slice){0}, arena, reply, err);
}

static bool download(void *context, const struct fetch_range *range, struct error *err)
{
	struct api *api;
	return cli_api(context, &api, err) && api_download(api, range, err);
}

void cli_init_fetcher(struct cli *cli)
{
	cli->fetcher = (struct fetcher){
		.get = get, .download = download, .context = cli, .stop = {is_interrupted, cli}};
}

bool cli_get(struct cli *cli, struct json_value **reply, struct error *err, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	bool ok = fetcher_getv(&cli->fetcher, cli->arena, reply, err, format, arguments);
	va_end(arguments);
	return ok;
}

bool cli_send(struct cli *cli, const char *method, const char *path, struct json_value **reply,
	      struct error *err)
{
	struct api *api;
	ASSERT(json_writer_is_complete(&cli->w));
	return buffer_check(&cli->text, "the request", err) && cli_api(cli, &api, err) &&
	       api_call(api, method, slice_from_cstr(path), buffer_slice(&cli->text), cli->arena,
			reply, err);
}

const char *cli_encode(struct cli *cli, struct slice value)
{
	return fetcher_encode_value(cli->arena, value);
}

const char *cli_encode_path(struct cli *cli, struct slice path)
{
	return fetcher_encode_path(cli->arena, path);
}

/* ---- printing -------------------------------------------------------------------------------- */

struct json_writer *cli_begin_json(struct cli *cli)
{
	if (cli->text.bytes_max == 0)
		buffer_init(&cli->text, JSON_BYTES_MAX);
	buffer_reset(&cli->text);
	json_writer_init(&cli->w, &cli->text);
	return &cli->w;
}

bool cli_print_json(struct cli *cli, struct error *err)
{
	ASSERT(json_writer_is_complete(&cli->w));
	buffer_append_byte(&cli->text, '\n');
	if (!buffer_check(&cli->text, "the output", err))
		return false;
	struct slice text = buffer_slice(&cli->text);
	(void)fwrite(text.ptr, 1, text.len, stdout); /* main checks the stream at the end */
	return true;
}

bool cli_print_reply(struct cli *cli, const struct json_value *reply, struct error *err)
{
	json_raw(cli_begin_json(cli), reply->text);
	return cli_print_json(cli, err);
}

void cli_print_line(struct cli *cli, struct slice text)
{
	terminal_print(stdout, cli->arena, STYLE_PLAIN, text);
	(void)putchar('\n');
}

void cli_say(const struct cli *cli, const char *format, ...)
{
	char line[ERROR_MESSAGE_BYTES_MAX];
	va_list arguments;
	if (cli->quiet || cli->json)
		return;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	terminal_print(stderr, cli->arena, STYLE_PLAIN, slice_from_cstr(line));
	(void)fputc('\n', stderr);
}

bool cli_confirm(struct cli *cli, const char *question, struct error *err)
{
	char answer[16] = "";
	if (cli_flag(cli, "yes"))
		return true;
	if (isatty(STDIN_FILENO) != 1)
		return cli_fail_usage(cli, err, "%s Say so with --yes", question);
	terminal_print(stderr, cli->arena, STYLE_PLAIN, slice_from_cstr(question));
	(void)fputs(" [y/N] ", stderr);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	return cli_is_interrupted() ? cli_fail_interrupted(err)
				    : error_set(err, ERR_INVALID_STATE, "nothing was deleted");
}

bool cli_number(struct cli *cli, const char *name, int64_t least, int64_t otherwise, int64_t *out,
		struct error *err)
{
	if (arguments_i64(&cli->arguments, name, least, otherwise, out, err))
		return true;
	cli->exit = CLI_USAGE;
	return false;
}
