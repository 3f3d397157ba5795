/* The words of a command line, taken apart by the command's own table of options. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum { ARGUMENTS_MAX = 256 };

struct command_option {
	const char *name;        /* without the dashes; NULL ends a table */
	const char *placeholder; /* "N"; NULL for a flag */
	const char *help;
};

struct arguments {
	const char *words[ARGUMENTS_MAX]; /* those that are no options */
	size_t word_count;
	struct {
		const struct command_option *option;
		const char *value; /* "" for flags */
	} options[ARGUMENTS_MAX];
	size_t option_count;
};

/* Takes argv[0…argc) apart; `tables` are searched in turn, ended by NULL. "--" ends the options; "--name=value" and "--name
 * value" are the same. Fails with a sentence that may suggest the option that was meant. */
MUST_CHECK bool arguments_parse(int argc, char **argv, const struct command_option *const *tables,
				struct arguments *out, struct error *err);
bool arguments_has(const struct arguments *a, const char *name);
/* The last value given, or `otherwise`. */
const char *arguments_value(const struct arguments *a, const char *name, const char *otherwise);
/* Values of a repeated option, one after the other: *index begins at 0; NULL at the end. */
const char *arguments_next(const struct arguments *a, const char *name, size_t *index);
/* A whole number; `otherwise` when the option was not given. */
MUST_CHECK bool arguments_i64(const struct arguments *a, const char *name, int64_t otherwise, int64_t *out,
			      struct error *err);

/* Letters to change, add, drop or swap between two words (optimal string alignment distance); for "did you mean". */
unsigned word_distance(const char *a, const char *b);

#endif
