/* Owns "trk serve": a model version behind HTTP, by processes that anybody can write. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/handlers.h"
#include "cli/model_ref.h"
#include "cli/serve_follow.h"
#include "serve/server.h"
#include "serve/workers.h"

enum {
	WORKERS = 2,
	QUEUE = 100,
	QUEUE_MAX = 100000,
	TIMEOUT_S = 60,
	HEARTBEAT_S = 30,
	SECONDS_MAX = 86400,
	BODY_BYTES = 16 * 1024 * 1024,
	BODY_BYTES_MAX = 256 * 1024 * 1024,
};

struct serving {
	struct cli *cli;
	struct server_options server;
	struct serve_follow follow;
	struct served_model fixed; /* --model-dir; texts in the arena */
};

static bool is_loopback(struct slice host)
{
	return slice_eq_cstr(host, "localhost") || slice_eq_cstr(host, "::1") ||
	       slice_starts_with(host, SLICE("127."));
}

/* "HOST:PORT", "[::1]:PORT" or a port. What listens on loopback only is for programs here, and not for pages that made
 * a name lead here; others are reached by names that we do not know. */
static bool read_listen(struct serving *s, struct error *err)
{
	const char *text = cli_option(s->cli, "listen", "127.0.0.1:8080");
	const char *colon = strrchr(text, ':');
	struct slice host = SLICE("127.0.0.1"), port = slice_from_cstr(text);
	int64_t number;
	if (colon != NULL) {
		host = slice_make(text, (size_t)(colon - text));
		port = slice_from_cstr(colon + 1);
	}
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = slice_make(host.ptr + 1, host.len - 2);
	if (host.len == 0 || !slice_parse_i64(port, &number) || number < 0 || number > UINT16_MAX)
		return cli_fail_usage(s->cli, err,
				      "--listen: \"%s\" is not HOST:PORT, such as 127.0.0.1:8080",
				      text);
	s->server.host = arena_cstr(s->cli->arena, host);
	s->server.port = (unsigned)number;
	s->server.allowed_hosts = cli_option(s->cli, "allowed-hosts", is_loopback(host) ? "" : "*");
	return true;
}

static bool read_number(struct cli *cli, const char *name, int64_t otherwise, int64_t most,
			int64_t *out, struct error *err)
{
	if (!cli_number(cli, name, 1, otherwise, out, err))
		return false;
	return *out <= most ||
	       cli_fail_usage(cli, err, "--%s is at most %lld", name, (long long)most);
}

static bool read_server(struct serving *s, struct error *err)
{
	struct cli *cli = s->cli;
	int64_t workers, queue, body, timeout_s, start_timeout_s;
	s->server.command = cli_option(cli, "cmd", "");
	if (s->server.command[0] == '\0')
		return cli_fail_usage(cli, err, "--cmd names the command that answers requests");
	if (!read_number(cli, "workers", WORKERS, WORKERS_MAX, &workers, err) ||
	    !read_number(cli, "queue", QUEUE, QUEUE_MAX, &queue, err) ||
	    !read_number(cli, "max-body", BODY_BYTES, BODY_BYTES_MAX, &body, err) ||
	    !read_number(cli, "timeout", TIMEOUT_S, SECONDS_MAX, &timeout_s, err) ||
	    !read_number(cli, "start-timeout", TIMEOUT_S, SECONDS_MAX, &start_timeout_s, err) ||
	    !read_listen(s, err))
		return false;
	s->server.worker_count = (size_t)workers;
	s->server.queue_max = (size_t)queue;
	s->server.body_bytes_max = (size_t)body;
	s->server.timeout_ms = timeout_s * 1000;
	s->server.start_timeout_ms = start_timeout_s * 1000;
	return true;
}

/* A folder that is served as it is. */
static bool read_fixed(struct serving *s, const char *path, struct error *err)
{
	struct arena *arena = s->cli->arena;
	struct stat info;
	if (cli_word(s->cli, 0) != NULL)
		return cli_fail_usage(s->cli, err, "it is either a version or --model-dir");
	char *real = realpath(path, NULL);
	if (real == NULL || stat(real, &info) != 0)
		return cli_fail_file(err, "open", path);
	char *copy = arena_cstr(arena, slice_from_cstr(real)),
	     *empty = arena_cstr(arena, SLICE(""));
	free(real);
	if (!S_ISDIR(info.st_mode))
		return error_set(err, ERR_INVALID_STATE, "%s is no folder", path);
	const char *slash = strrchr(copy, '/');
	s->fixed = (struct served_model){
		.name = copy,
		.path = copy,
		.model = arena_cstr(arena, slice_from_cstr(slash == NULL ? copy : slash + 1)),
		.version = empty,
		.alias = empty,
		.run_id = empty,
	};
	s->server.fixed_or_null = &s->fixed;
	return true;
}

static bool read_reference(struct serving *s, struct error *err)
{
	struct cli *cli = s->cli;
	const char *reference = cli_word(cli, 0);
	if (reference == NULL)
		return cli_fail_usage(cli, err,
				      "name a version: MODEL@ALIAS, MODEL/VERSION, or --model-dir");
	struct slice text = slice_from_cstr(reference), model, name;
	bool has_alias = model_ref_split(text, '@', &model, &name);
	if (!has_alias && !model_ref_split(text, '/', &model, &name))
		return cli_fail_usage(cli, err,
				      "\"%s\" names no version: write MODEL@ALIAS or MODEL/VERSION",
				      reference);
	int64_t heartbeat_s;
	if (!read_number(cli, "heartbeat", HEARTBEAT_S, SECONDS_MAX, &heartbeat_s, err))
		return false;
	char host[65] = "";
	(void)gethostname(host, sizeof(host) - 1); /* "" does as well */
	s->follow = (struct serve_follow){
		.cli = cli,
		.reference = reference,
		.model = arena_cstr(cli->arena, model),
		.alias = has_alias ? arena_cstr(cli->arena, name) : "",
		.directory =
			cli_option(cli, "dir",
				   arena_cstr(cli->arena, arena_printf(cli->arena, "%.*s.served",
								       SLICE_FMT(model)))),
		.is_watching = has_alias && !cli_flag(cli, "no-watch"),
		.is_reporting = !cli_flag(cli, "no-report"),
		.heartbeat_ms = heartbeat_s * 1000,
		.target = cli_option(cli, "target", arena_cstr(cli->arena, slice_from_cstr(host))),
		.environment = cli_option(cli, "env", ""),
	};
	s->server.follow = serve_follow_run;
	s->server.follow_ctx = &s->follow;
	return true;
}

bool serve(struct cli *cli, struct error *err)
{
	struct serving s = {.cli = cli};
	const char *fixed = cli_option(cli, "model-dir", NULL);
	return read_server(&s, err) &&
	       (fixed != NULL ? read_fixed(&s, fixed, err) : read_reference(&s, err)) &&
	       server_run(&s.server, err);
}
