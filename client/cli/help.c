/* Owns the texts of --help, of "did you mean", and the look-up in the table of commands. */
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

enum { WIDTH = 80, INDENT = 2, GAP = 2, LEFT_MAX = 26 };

const struct command *command_find(const char *noun, const char *verb_or_null)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];
		if (strcmp(c->noun, noun) != 0)
			continue;
		if (c->verb_or_null == NULL ||
		    (verb_or_null != NULL && strcmp(c->verb_or_null, verb_or_null) == 0))
			return c;
	}
	return NULL;
}

const struct noun *noun_find(const char *name)
{
	for (size_t i = 0; i < nouns_count; i++) {
		if (strcmp(nouns[i].name, name) == 0)
			return &nouns[i];
	}
	return NULL;
}

const struct command *command_default(const char *noun)
{
	const struct noun *found = noun_find(noun);
	if (found == NULL || found->default_verb_or_null == NULL)
		return NULL;
	return command_find(noun, found->default_verb_or_null);
}

/* ---- layout ---------------------------------------------------------------------------------- */

/* Prints `text` in words from `column` on, which is where the cursor is, and ends the line. */
static void print_wrapped(FILE *out, const char *text, int column)
{
	int at = column;
	for (bool is_first = true; *text != '\0'; is_first = false) {
		int len = (int)strcspn(text, " ");
		if (!is_first && at + 1 + len > WIDTH) {
			(void)fprintf(out, "\n%*s", column, "");
			at = column;
		} else if (!is_first) {
			(void)fputc(' ', out);
			at++;
		}
		(void)fprintf(out, "%.*s", len, text);
		at += len;
		text += len;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

/* A row of two columns. */
static void print_row(FILE *out, const char *left, const char *right, int left_width)
{
	int column = INDENT + left_width + GAP;
	int written = fprintf(out, "%*s%-*s", INDENT, "", left_width, left);
	if (written > column - GAP)
		(void)fprintf(out, "\n%*s", column, "");
	else
		(void)fprintf(out, "%*s", GAP, "");
	print_wrapped(out, right, column);
}

static int left_width_of(int width, const char *left)
{
	int len = (int)strlen(left);
	return len > width && len <= LEFT_MAX ? len : width;
}

static void put_option_name(const struct command_option *o, char *text, size_t bytes)
{
	if (o->letter != 0)
		(void)snprintf(text, bytes, "-%c, --%s", o->letter, o->name);
	else
		(void)snprintf(text, bytes, "--%s%s%s", o->name, o->placeholder != NULL ? " " : "",
			       o->placeholder != NULL ? o->placeholder : "");
}

static void print_options(FILE *out, const char *title, const struct command_option *options)
{
	char name[64];
	int width = 0;
	for (const struct command_option *o = options; o->name != NULL; o++) {
		put_option_name(o, name, sizeof(name));
		width = left_width_of(width, name);
	}
	(void)fprintf(out, "\n%s\n", title);
	for (const struct command_option *o = options; o->name != NULL; o++) {
		put_option_name(o, name, sizeof(name));
		print_row(out, name, o->help, width);
	}
}

/* Paragraphs; a line that begins with two spaces stays as it is. */
static void print_details(FILE *out, const char *details)
{
	struct slice rest = slice_from_cstr(details), line;
	char text[1024];
	while (slice_next(&rest, '\n', &line)) {
		(void)snprintf(text, sizeof(text), "%.*s", SLICE_FMT(line));
		if (text[0] == ' ' || text[0] == '\0')
			(void)fprintf(out, "%s\n", text);
		else
			print_wrapped(out, text, 0);
	}
}

/* ---- the levels ------------------------------------------------------------------------------ */

static void print_all(FILE *out)
{
	int width = 0;
	(void)fputs("trk: experiments, runs, artifacts and models of a trackerd server\n"
		    "\nUsage: trk COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands\n",
		    out);
	for (size_t i = 0; i < nouns_count; i++)
		width = left_width_of(width, nouns[i].name);
	for (size_t i = 0; i < nouns_count; i++)
		print_row(out, nouns[i].name, nouns[i].summary, width);
	print_options(out, "Options of every command", common_options);
	// clang-format off: lines of the text stay whole
	(void)fputs(
		"\n\"trk COMMAND --help\" tells more.\n"
		"\nExit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 conflict or "
		"exists\n"
		"already, 5 no access, 6 server unreachable, 7 a gate's condition failed, 8 timed\n"
		"out, 9 done but for what is named, 130 interrupted.\n",
		out);
	// clang-format on
}

static void put_usage(const struct command *c, char *text, size_t bytes)
{
	(void)snprintf(text, bytes, "%s%s%s", c->verb_or_null != NULL ? c->verb_or_null : "",
		       c->verb_or_null != NULL && c->arguments[0] != '\0' ? " " : "", c->arguments);
}

static void print_noun(FILE *out, const struct noun *noun)
{
	char usage[128];
	int width = 0;
	(void)fprintf(out,
		      "trk %s: %s\n\nUsage: trk %s COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands\n",
		      noun->name, noun->summary, noun->name);
	for (size_t i = 0; i < commands_count; i++) {
		put_usage(&commands[i], usage, sizeof(usage));
		if (strcmp(commands[i].noun, noun->name) == 0)
			width = left_width_of(width, usage);
	}
	for (size_t i = 0; i < commands_count; i++) {
		put_usage(&commands[i], usage, sizeof(usage));
		if (strcmp(commands[i].noun, noun->name) == 0)
			print_row(out, usage, commands[i].summary, width);
	}
	if (noun->default_verb_or_null != NULL)
		(void)fprintf(out, "\nWithout a command: %s.", noun->default_verb_or_null);
	(void)fprintf(out, "\n\"trk %s COMMAND --help\" tells more.\n", noun->name);
}

void help_print_command(const struct command *c)
{
	(void)printf(
		"trk %s%s%s: %s\n\nUsage: trk %s%s%s%s%s%s\n", c->noun,
		c->verb_or_null != NULL ? " " : "", c->verb_or_null != NULL ? c->verb_or_null : "",
		c->summary, c->noun, c->verb_or_null != NULL ? " " : "",
		c->verb_or_null != NULL ? c->verb_or_null : "", c->arguments[0] != '\0' ? " " : "",
		c->arguments, c->options_or_null != NULL ? " [OPTIONS]" : "");
	if (c->details_or_null != NULL) {
		(void)putchar('\n');
		print_details(stdout, c->details_or_null);
	}
	if (c->options_or_null != NULL)
		print_options(stdout, "Options", c->options_or_null);
	print_options(stdout, "Options of every command", common_options);
}

/* ---- did you mean ---------------------------------------------------------------------------- */

static void fail_unknown(const char *noun, const char *verb_or_null)
{
	const char *nearest = NULL;
	unsigned least = WORD_DISTANCE_MAX;
	char quoted[64];
	error_quote(slice_from_cstr(verb_or_null != NULL ? verb_or_null : noun), quoted,
		    sizeof(quoted));
	for (size_t i = 0; verb_or_null == NULL && i < nouns_count; i++) {
		if (word_is_nearer(noun, nouns[i].name, &least))
			nearest = nouns[i].name;
	}
	for (size_t i = 0; verb_or_null != NULL && i < commands_count; i++) {
		if (strcmp(commands[i].noun, noun) == 0 &&
		    word_is_nearer(verb_or_null, commands[i].verb_or_null, &least))
			nearest = commands[i].verb_or_null;
	}
	const char *group = verb_or_null != NULL ? noun : "",
		   *space = verb_or_null != NULL ? " " : "";
	if (nearest != NULL)
		(void)fprintf(stderr,
			      "trk: there is no command \"%s%s%s\"; did you mean \"%s%s%s\"?\n",
			      group, space, quoted, group, space, nearest);
	else
		(void)fprintf(stderr, "trk: there is no command \"%s%s%s\"\n", group, space,
			      quoted);
	(void)fprintf(stderr, "Try: trk %s%s--help\n", group, space);
}

int help_print(bool is_asked, const char *noun_or_null, const char *verb_or_null)
{
	FILE *out = is_asked ? stdout : stderr;
	if (noun_or_null == NULL) {
		print_all(out);
		return is_asked ? CLI_OK : CLI_USAGE;
	}
	const struct noun *noun = noun_find(noun_or_null);
	const struct command *command = command_find(noun_or_null, verb_or_null);
	if (command != NULL) {
		help_print_command(command);
		return CLI_OK;
	}
	if (noun == NULL || verb_or_null != NULL) {
		fail_unknown(noun_or_null, noun == NULL ? NULL : verb_or_null);
		return CLI_USAGE;
	}
	print_noun(out, noun);
	return is_asked ? CLI_OK : CLI_USAGE;
}
