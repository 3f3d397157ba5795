/* Owns "trk ui" and "trk version". */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/terminal.h"
#include "trk.h"

extern char **environ;

/* Opens the address in the user's browser, if there is a program that does so. */
static void open_browser(const char *address)
{
	const char *const arguments[] = {"xdg-open", address, NULL};
	char *copy[3];
	posix_spawn_file_actions_t actions;
	pid_t child;
	for (size_t i = 0; i < ARRAY_COUNT(arguments); i++)
		copy[i] = arguments[i] != NULL ? strdup(arguments[i]) : NULL;
	if (posix_spawn_file_actions_init(&actions) == 0) {
		bool ok = posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", 1,
							   0) == 0 &&
			  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", 1,
							   0) == 0;
		if (ok && posix_spawnp(&child, "xdg-open", &actions, NULL, copy, environ) == 0)
			(void)waitpid(child, NULL, 0); /* it starts the browser and ends */
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	for (size_t i = 0; i < ARRAY_COUNT(copy); i++)
		free(copy[i]);
}

bool ui(struct cli *cli, struct error *err)
{
	struct slice run_id, address = slice_from_cstr(cli->url);
	while (address.len > 0 && address.ptr[address.len - 1] == '/')
		address.len--;
	address = arena_concat(cli->arena, address, SLICE("/"));
	if (cli_word(cli, 0) != NULL) {
		if (!lookup_run(cli, cli_word(cli, 0), &run_id, err))
			return false;
		address = arena_printf(cli->arena, "%.*s#/run/%.*s", SLICE_FMT(address),
				       SLICE_FMT(run_id));
	}
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_put_string(w, "url", address);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	(void)printf("%.*s\n", SLICE_FMT(address));
	(void)fflush(stdout);
	if (!cli_flag(cli, "print") && terminal_is(stdout))
		open_browser(arena_cstr(cli->arena, address));
	return true;
}

bool version(struct cli *cli, struct error *err)
{
	struct json_value *server = NULL;
	struct error ignored;
	/* Without a server, trk still has a version. */
	bool has_server = cli_get(cli, &server, &ignored, "/api/trackerd/v1/server");
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_put_cstr(w, "trk", TRK_VERSION);
		json_put_cstr(w, "libtrk", trk_version());
		if (has_server)
			json_put_string(w, "server", json_text(server, "version"));
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	(void)printf("trk %s\n", TRK_VERSION);
	if (has_server && !cli->quiet)
		(void)printf("trackerd %.*s at %s\n", SLICE_FMT(json_text(server, "version")),
			     cli->url);
	return true;
}
