/* A command line without a main, for the tests of its parts. */
#ifndef UNIT_CLI_HELPER_H
#define UNIT_CLI_HELPER_H

#include "cli/cli.h"

/* What cli_is_interrupted() says. */
extern bool cli_helper_is_interrupted;

/* A command's surroundings without a server; `cli` must stay where it is. */
void cli_helper_init(struct cli *cli, struct arena *arena);
void cli_helper_deinit(struct cli *cli);
/* A new folder below /tmp, in the arena; removed by cli_helper_remove. */
const char *cli_helper_folder(struct cli *cli);
void cli_helper_remove(const char *folder);

#endif
