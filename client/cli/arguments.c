/* Owns the taking apart of command lines. */
#include "cli/arguments.h"

#include <stdio.h>
#include <string.h>

static const struct command_option *find(const struct command_option *const *tables, struct slice name)
{
	for (; *tables != NULL; tables++) {
		for (const struct command_option *o = *tables; o->name != NULL; o++) {
			if (slice_eq_cstr(name, o->name))
				return o;
		}
	}
	return NULL;
}

static bool error_unknown(const struct command_option *const *tables, struct slice name, struct error *err)
{
	const char *nearest = NULL;
	unsigned least = 3;
	char word[64];
	(void)snprintf(word, sizeof(word), "%.*s", SLICE_FMT(name));
	for (; *tables != NULL; tables++) {
		for (const struct command_option *o = *tables; o->name != NULL; o++) {
			unsigned distance = word_distance(word, o->name);
			if (distance < least) {
				least = distance;
				nearest = o->name;
			}
		}
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "there is no option --%s%s%s%s", word,
			 nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "",
			 nearest != NULL ? "?" : "");
}

static bool take_option(int argc, char **argv, int *index, const struct command_option *const *tables,
			struct arguments *out, struct error *err)
{
	struct slice rest = slice_from_cstr(argv[*index] + 2), name;
	(void)slice_next(&rest, '=', &name); /* present: at least "" */
	const struct command_option *option = find(tables, name);
	if (option == NULL)
		return error_unknown(tables, name, err);
	const char *value = rest.ptr;
	if (option->placeholder == NULL && value != NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s takes no value", option->name);
	if (option->placeholder == NULL)
		value = "";
	else if (value == NULL && *index + 1 < argc)
		value = argv[++*index];
	if (value == NULL)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s needs a value, %s", option->name,
				 option->placeholder);
	out->options[out->option_count].option = option;
	out->options[out->option_count++].value = value;
	return true;
}

bool arguments_parse(int argc, char **argv, const struct command_option *const *tables, struct arguments *out,
		     struct error *err)
{
	bool only_words = false;
	memset(out, 0, sizeof(*out));
	if (argc >= ARGUMENTS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "more than %d words", ARGUMENTS_MAX);
	for (int i = 0; i < argc; i++) {
		if (!only_words && strcmp(argv[i], "--") == 0)
			only_words = true;
		else if (only_words || strncmp(argv[i], "--", 2) != 0)
			out->words[out->word_count++] = argv[i];
		else if (!take_option(argc, argv, &i, tables, out, err))
			return false;
	}
	return true;
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

bool arguments_i64(const struct arguments *a, const char *name, int64_t otherwise, int64_t *out, struct error *err)
{
	const char *value = arguments_value(a, name, NULL);
	*out = otherwise;
	if (value == NULL || slice_parse_i64(slice_from_cstr(value), out))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "--%s takes a whole number, not \"%s\"", name, value);
}

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
