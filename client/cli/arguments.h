/* The words of a command line, taken apart by the command's own table of options. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

struct command_option {
	const char *name;	 /* without the dashes; NULL ends a table */
	const char *placeholder; /* "N", or the choices "min|max"; NULL for a flag */
	const char *help;
	char letter; /* for "-l"; 0 for none. Only flags have letters. */
};

struct given_option {
	const struct command_option *option;
	const char *value; /* "" for flags */
};

struct arguments {
	const char **words; /* those that are no options */
	size_t word_count;
	struct given_option *options;
	size_t option_count;
};

/* Takes argv[0…argc) apart; `tables` are searched in turn, ended by NULL. "--" ends the options;
 * "--name=value" and "--name value" are the same; "-lr" is "-l -r"; "-" and "-5" are words. A
 * value must be one of the choices where the placeholder lists them. Fails with a sentence that
 * may suggest the option that was meant. Borrows argv. */
MUST_CHECK bool arguments_parse(int argc, char **argv, const struct command_option *const *tables,
				struct arena *arena, struct arguments *out, struct error *err);
/* Index of the first word at or after `from` that is no option of `options`, nor a value of one;
 * argc if none. */
int arguments_next_word(int argc, char **argv, int from, const struct command_option *options);

bool arguments_has(const struct arguments *a, const char *name);
/* The last value given, or `otherwise`. */
const char *arguments_value(const struct arguments *a, const char *name, const char *otherwise);
/* Values of a repeated option, one after the other: *index begins at 0; NULL at the end. */
const char *arguments_next(const struct arguments *a, const char *name, size_t *index);
/* A whole number from `least` on; `otherwise` when the option was not given. */
MUST_CHECK bool arguments_i64(const struct arguments *a, const char *name, int64_t least,
			      int64_t otherwise, int64_t *out, struct error *err);

/* Letters to change, add, drop or swap between two words (optimal string alignment distance). */
unsigned word_distance(const char *a, const char *b);
/* For "did you mean": is `candidate` nearer to `word` than *least, which begins at
 * WORD_DISTANCE_MAX? Then *least is lowered. */
enum { WORD_DISTANCE_MAX = 3 };
bool word_is_nearer(const char *word, const char *candidate, unsigned *least);

#endif
