/* A command of trk: one row of the table in commands.c, from which come dispatch, help and
 * completion. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/cli.h"

struct command {
	const char *noun;
	const char *verb_or_null; /* NULL: the noun alone is the command */
	/* For help, and, by its capital words, for completion: EXPERIMENT, MODEL and FILE are
	 * completed by name. */
	const char *arguments;
	size_t words_min, words_max;
	const char *summary;			      /* one line without a full stop */
	const struct command_option *options_or_null; /* ends with name NULL */
	/* True when it did what was asked; else *err is set, and perhaps cli->exit. */
	bool (*run)(struct cli *cli, struct error *err);
	const char *details_or_null; /* paragraphs for the command's own help */
};

struct noun {
	const char *name, *summary;
	const char *default_verb_or_null; /* what it does without a verb */
};

enum { WORDS_ANY = 1000000 };

/* THE table, and what each noun is about, in the order of the help. */
extern const struct command commands[];
extern const size_t commands_count;
extern const struct noun nouns[];
extern const size_t nouns_count;
/* Options of every command. */
extern const struct command_option common_options[];

/* The command, or NULL. `verb_or_null` is ignored where the noun alone is one. */
const struct command *command_find(const char *noun, const char *verb_or_null);
const struct noun *noun_find(const char *name);
/* What a noun does without a verb, or NULL. */
const struct command *command_default(const char *noun);

#endif
