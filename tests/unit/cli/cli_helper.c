/* Owns what the program's main has, and tests do not: its signals, its arena. */
#include "unit/cli/cli_helper.h"

#include <stdlib.h>

#include "src/files.h"

enum { ARENA_BYTES = 16 * 1024 * 1024 };

bool cli_helper_is_interrupted;

bool cli_is_interrupted(void)
{
	return cli_helper_is_interrupted;
}

void cli_helper_init(struct cli *cli, struct arena *arena)
{
	cli_helper_is_interrupted = false;
	arena_init(arena, ARENA_BYTES);
	*cli = (struct cli){.arena = arena, .quiet = true};
	cli_init_fetcher(cli);
}

void cli_helper_deinit(struct cli *cli)
{
	buffer_deinit(&cli->text);
	arena_deinit(cli->arena);
}

const char *cli_helper_folder(struct cli *cli)
{
	char *path = arena_cstr(cli->arena, SLICE("/tmp/trk-unit-XXXXXX"));
	ASSERT(mkdtemp(path) != NULL);
	return path;
}

void cli_helper_remove(const char *folder)
{
	ASSERT(files_remove_tree(folder));
}
