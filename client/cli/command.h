/* A command of trk: one row of the table in commands.c, from which come dispatch, help and completion. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/cli.h"

struct command {
	const char *noun;
	const char *verb; /* NULL: the noun alone is the command */
	const char *arguments; /* for help, "EXPERIMENT" */
	size_t words_min, words_max;
	const char *summary; /* one line */
	const struct command_option *options; /* ends with name NULL; NULL for none */
	int (*run)(struct cli *cli);
	bool is_local; /* needs no server: --url is not offered */
};

/* THE table, and the groups that help lists it in. */
extern const struct command commands[];
extern const size_t commands_count;
/* What each noun is about; ends with NULL. */
struct noun {
	const char *name, *summary;
};
extern const struct noun nouns[];
/* Options of every command. */
extern const struct command_option common_options[];

#endif
