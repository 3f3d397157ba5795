/* Owns the taking apart of command lines. */
#include "cli/arguments.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct command_option *find_in(const struct command_option *table, struct slice name)
{
	for (const struct command_option *o = table; o->name != NULL; o++) {
		if (slice_eq_cstr(name, o->name))
			return o;
	}
	return NULL;
}

static const struct command_option *find(const struct command_option *const *tables,
					 struct slice name)
{
	const struct command_option *found = NULL;
	for (; *tables != NULL && found == NULL; tables++)
		found = find_in(*tables, name);
	return found;
}

static bool fail_unknown(const struct command_option *const *tables, struct slice name,
			 struct error *err)
{
	const char *nearest = NULL;
	unsigned least = WORD_DISTANCE_MAX;
	char word[64], quoted[64];
	(void)snprintf(word, sizeof(word), "%.*s", SLICE_FMT(name));
	for (; *tables != NULL; tables++) {
		for (const struct command_option *o = *tables; o->name != NULL; o++) {
			if (word_is_nearer(word, o->name, &least))
				nearest = o->name;
		}
	}
	error_quote(name, quoted, sizeof(quoted));
	if (nearest == NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "there is no option --%s",
				 quoted);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "there is no option --%s; did you mean --%s?", quoted, nearest);
}

/* A placeholder such as "min|max" lists the values there are. */
static bool check_choice(const struct command_option *option, const char *value, struct error *err)
{
	char quoted[64];
	if (strchr(option->placeholder, '|') == NULL)
		return true;
	struct slice rest = slice_from_cstr(option->placeholder), choice;
	while (slice_next(&rest, '|', &choice)) {
		if (slice_eq_cstr(choice, value))
			return true;
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s takes %s, not \"%s\"",
			 option->name, option->placeholder,
			 error_quote(slice_from_cstr(value), quoted, sizeof(quoted)));
}

static void add(struct arguments *out, const struct command_option *option, const char *value)
{
	out->options[out->option_count++] = (struct given_option){option, value};
}

static bool take_long(int argc, char **argv, int *index, const struct command_option *const *tables,
		      struct arguments *out, struct error *err)
{
	struct slice rest = slice_from_cstr(argv[*index] + 2), name;
	(void)slice_next(&rest, '=', &name); /* there is one, at least "" */
	const struct command_option *option = find(tables, name);
	const char *value = rest.ptr;
	if (option == NULL)
		return fail_unknown(tables, name, err);
	if (option->placeholder == NULL) {
		add(out, option, "");
		return value == NULL || error_set(err, ERR_INVALID_PARAMETER_VALUE,
						  "--%s takes no value", option->name);
	}
	if (value == NULL && *index + 1 < argc)
		value = argv[++*index];
	if (value == NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s needs a value: %s",
				 option->name, option->placeholder);
	add(out, option, value);
	return check_choice(option, value, err);
}

static bool take_letter(char letter, const struct command_option *const *tables,
			struct arguments *out, struct error *err)
{
	for (; *tables != NULL; tables++) {
		for (const struct command_option *o = *tables; o->name != NULL; o++) {
			if (o->letter == letter) {
				add(out, o, "");
				return true;
			}
		}
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "there is no option -%c",
			 isprint((unsigned char)letter) ? letter : '?');
}

/* "-" is a name for standard streams, "-5" a number. */
static bool is_letters(const char *word)
{
	return word[0] == '-' && word[1] != '-' && isalpha((unsigned char)word[1]);
}

bool arguments_parse(int argc, char **argv, const struct command_option *const *tables,
		     struct arena *arena, struct arguments *out, struct error *err)
{
	size_t options_max = 0;
	bool only_words = false;
	for (int i = 0; i < argc; i++)
		options_max += strlen(argv[i]); /* each letter may be one */
	*out = (struct arguments){
		.words = ARENA_NEW(arena, const char *, (size_t)argc + 1),
		.options = ARENA_NEW(arena, struct given_option, options_max + 1),
	};
	for (int i = 0; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0) {
			only_words = true;
		} else if (!only_words && strncmp(argv[i], "--", 2) == 0) {
			if (!take_long(argc, argv, &i, tables, out, err))
				return false;
		} else if (!only_words && is_letters(argv[i])) {
			for (const char *letter = argv[i] + 1; *letter != '\0'; letter++) {
				if (!take_letter(*letter, tables, out, err))
					return false;
			}
		} else {
			out->words[out->word_count++] = argv[i];
		}
	}
	return true;
}

int arguments_next_word(int argc, char **argv, int from, const struct command_option *options)
{
	int i = from;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strncmp(argv[i], "--", 2) != 0)
			continue;
		const struct command_option *option =
			find_in(options, slice_from_cstr(argv[i] + 2));
		if (option != NULL && option->placeholder != NULL)
			i++;
	}
	return i < argc ? i : argc;
}

const char *arguments_next(const struct arguments *a, const char *name, size_t *index)
{
	while (*index < a->option_count) {
		size_t i = (*index)++;
		if (strcmp(a->options[i].option->name, name) == 0)
			return a->options[i].value;
	}
	return NULL;
}

const char *arguments_value(const struct arguments *a, const char *name, const char *otherwise)
{
	size_t index = 0;
	const char *value;
	while ((value = arguments_next(a, name, &index)) != NULL)
		otherwise = value;
	return otherwise;
}

bool arguments_has(const struct arguments *a, const char *name)
{
	return arguments_value(a, name, NULL) != NULL;
}

bool arguments_i64(const struct arguments *a, const char *name, int64_t least, int64_t otherwise,
		   int64_t *out, struct error *err)
{
	const char *value = arguments_value(a, name, NULL);
	char quoted[64];
	int64_t number = otherwise;
	if (value != NULL &&
	    (!slice_parse_i64(slice_from_cstr(value), &number) || number < least)) {
		error_quote(slice_from_cstr(value), quoted, sizeof(quoted));
		if (least == INT64_MIN)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "--%s takes a whole number, not \"%s\"", name, quoted);
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "--%s takes a whole number from %lld on, not \"%s\"", name,
				 (long long)least, quoted);
	}
	*out = number;
	return true;
}

/* ---- did you mean ---------------------------------------------------------------------------- */

enum { WORD_MAX = 40 };

static unsigned least_of(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned word_distance(const char *a, const char *b)
{
	unsigned rows[WORD_MAX + 1][WORD_MAX + 1];
	size_t a_len = strlen(a), b_len = strlen(b);
	if (a_len > WORD_MAX || b_len > WORD_MAX)
		return WORD_MAX;
	for (size_t i = 0; i <= a_len; i++) {
		for (size_t j = 0; j <= b_len; j++) {
			if (i == 0 || j == 0) {
				rows[i][j] = (unsigned)(i + j);
				continue;
			}
			unsigned change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			rows[i][j] = least_of(change, least_of(rows[i - 1][j], rows[i][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				rows[i][j] = least_of(rows[i][j], rows[i - 2][j - 2] + 1);
		}
	}
	return rows[a_len][b_len];
}

bool word_is_nearer(const char *word, const char *candidate, unsigned *least)
{
	unsigned distance = word_distance(word, candidate);
	/* Two changes make any short word any other. */
	if (distance >= *least || distance * 2 > strlen(candidate))
		return false;
	*least = distance;
	return true;
}
