/* Owns the completion scripts, which are printed from the table of commands. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/handlers.h"

static const char *verb_of(const struct command *c)
{
	return c->verb_or_null != NULL ? c->verb_or_null : "";
}

/* What completes the arguments of a command: by the first word in capitals. */
static const char *kind_of(const struct command *c)
{
	static const struct {
		const char *word, *kind;
	} kinds[] = {
		{"EXPERIMENT", "experiments"},
		{"MODEL@", "models"},
		{"MODEL", "models"},
		{"FILE", "files"},
		{"DIR", "files"},
		{"bash|zsh", "shells"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (strstr(c->arguments, kinds[i].word) != NULL)
			return kinds[i].kind;
	}
	return "";
}

static bool is_choice(const struct command_option *o)
{
	return o->placeholder != NULL && strchr(o->placeholder, '|') != NULL;
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void print_option_words(const struct command_option *options_or_null)
{
	for (const struct command_option *o = options_or_null; o != NULL && o->name != NULL; o++)
		(void)printf(" --%s", o->name);
}

// clang-format off: lines of the scripts stay whole
/* Values after an option: "--value) words="last min max"". */
static void print_bash_values(void)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command_option *o = commands[i].options_or_null;
		for (; o != NULL && o->name != NULL; o++) {
			if (!is_choice(o))
				continue;
			(void)printf("\t\"%s/%s --%s\") words=\"", commands[i].noun,
				     verb_of(&commands[i]), o->name);
			for (const char *c = o->placeholder; *c != '\0'; c++)
				(void)putchar(*c == '|' ? ' ' : *c);
			(void)puts("\" ;;");
		}
	}
	(void)puts("\t*\" --experiment\") _trk_names experiments; return ;;\n"
		   "\t\"models/register --name\") _trk_names models; return ;;\n"
		   "\t*\" --to\") compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "
		   "\"$current\")); return ;;");
}

static void print_bash_nouns(void)
{
	(void)fputs("\t\"\") words=\"", stdout);
	for (size_t i = 0; i < nouns_count; i++)
		(void)printf("%s%s", i > 0 ? " " : "", nouns[i].name);
	(void)puts(" help\" ;;");
	for (size_t n = 0; n < nouns_count; n++) {
		if (command_find(nouns[n].name, NULL) != NULL)
			continue;
		(void)printf("\t%s/) words=\"", nouns[n].name);
		for (size_t i = 0; i < commands_count; i++) {
			if (strcmp(commands[i].noun, nouns[n].name) == 0)
				(void)printf("%s ", commands[i].verb_or_null);
		}
		(void)puts("\" ;;");
	}
}

static void print_bash_commands(void)
{
	for (size_t i = 0; i < commands_count; i++) {
		const struct command *c = &commands[i];
		(void)printf("\t%s/%s) kind=%s words=\"", c->noun,
			     c->verb_or_null != NULL ? c->verb_or_null : "-",
			     kind_of(c)[0] != '\0' ? kind_of(c) : "none");
		print_option_words(c->options_or_null);
		print_option_words(common_options);
		(void)puts("\" ;;");
	}
}

static void print_bash(void)
{
	(void)fputs("# Completion of trk for bash; made by \"trk completion bash\".\n"
		    "# Names come from the server, so nothing of them is expanded.\n"
		    "_trk_names() {\n"
		    "\tlocal name quoted\n"
		    "\twhile IFS= read -r name; do\n"
		    "\t\tprintf -v quoted %q \"$name\"\n"
		    "\t\t[[ $name == \"$current\"* || $quoted == \"$current\"* ]] && "
		    "COMPREPLY+=(\"$quoted\")\n"
		    "\tdone < <(trk \"$1\" list --quiet 2>/dev/null)\n"
		    "}\n\n"
		    "_trk() {\n"
		    "\tlocal current=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tlocal noun=\"\" verb=\"\" kind=none words=\"\" i single=\" ",
		    stdout);
	for (size_t i = 0; i < commands_count; i++) {
		if (commands[i].verb_or_null == NULL)
			(void)printf("%s ", commands[i].noun);
	}
	(void)fputs("\"\n"
		    "\tCOMPREPLY=()\n"
		    "\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		    "\t\tcase ${COMP_WORDS[i]} in\n"
		    "\t\t--url) ((i++)) ;;\n"
		    "\t\t-*) ;;\n"
		    "\t\t*) if [[ -z $noun ]]; then noun=${COMP_WORDS[i]}\n"
		    "\t\t   elif [[ -z $verb ]]; then verb=${COMP_WORDS[i]}; fi ;;\n"
		    "\t\tesac\n"
		    "\tdone\n"
		    "\t[[ $single == *\" $noun \"* ]] && verb=-\n"
		    "\tcase \"$noun/${verb#-} $last\" in\n",
		    stdout);
	print_bash_values();
	(void)fputs("\tesac\n"
		    "\tif [[ -n $words ]]; then\n"
		    "\t\tlocal IFS=$' \\n'\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "\t\treturn\n"
		    "\tfi\n"
		    "\tcase \"$noun${noun:+/$verb}\" in\n",
		    stdout);
	print_bash_nouns();
	print_bash_commands();
	(void)fputs("\tesac\n"
		    "\tif [[ -n $noun && -n $verb && $current != -* ]]; then\n"
		    "\t\tlocal IFS=$'\\n'\n"
		    "\t\tcase $kind in\n"
		    "\t\texperiments | models) _trk_names \"$kind\"; return ;;\n"
		    "\t\tfiles) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "
		    "\"$current\")); return ;;\n"
		    "\t\tshells) words=$'bash\\nzsh' ;;\n"
		    "\t\t*) return ;;\n"
		    "\t\tesac\n"
		    "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "\t\treturn\n"
		    "\tfi\n"
		    "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
		    "}\n"
		    "complete -F _trk trk\n",
		    stdout);
}
// clang-format on

/* ---- zsh ------------------------------------------------------------------------------------- */

/* Text within single quotes of a "name[explanation]" or "name:explanation". */
static void print_zsh_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			(void)fputs("'\\''", stdout);
		else if (strchr("[]:\\", *text) != NULL)
			(void)printf("\\%c", *text);
		else
			(void)putchar(*text);
	}
}

static void print_zsh_option(const char *noun, const struct command_option *o)
{
	(void)printf(" \\\n\t\t\t'*--%s[", o->name);
	print_zsh_text(o->help);
	(void)putchar(']');
	if (o->placeholder != NULL) {
		(void)fputs(":value:", stdout);
		if (is_choice(o)) {
			(void)putchar('(');
			for (const char *c = o->placeholder; *c != '\0'; c++)
				(void)putchar(*c == '|' ? ' ' : *c);
			(void)putchar(')');
		} else if (strcmp(o->name, "to") == 0) {
			(void)fputs("_files -/", stdout);
		} else if (strcmp(o->name, "experiment") == 0) {
			(void)fputs("_trk_experiments", stdout);
		} else if (strcmp(o->name, "name") == 0 && strcmp(noun, "models") == 0) {
			(void)fputs("_trk_models", stdout);
		}
	}
	(void)putchar('\'');
}

static const char *zsh_arguments(const struct command *c)
{
	static const struct {
		const char *kind, *action;
	} actions[] = {
		{"experiments", "_trk_experiments"},
		{"models", "_trk_models"},
		{"files", "_files"},
		{"shells", "(bash zsh)"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(actions); i++) {
		if (strcmp(actions[i].kind, kind_of(c)) == 0)
			return actions[i].action;
	}
	return " ";
}

static void print_zsh_choice(const char *name, const char *summary)
{
	(void)printf("\t\t\t'%s:", name);
	print_zsh_text(summary);
	(void)puts("'");
}

static void print_zsh_command(const struct command *c)
{
	(void)printf("\t%s/%s)\n\t\t_arguments -s", c->noun,
		     c->verb_or_null != NULL ? c->verb_or_null : "-");
	for (const struct command_option *o = c->options_or_null; o != NULL && o->name != NULL; o++)
		print_zsh_option(c->noun, o);
	for (const struct command_option *o = common_options; o->name != NULL; o++)
		print_zsh_option(c->noun, o);
	(void)printf(" \\\n\t\t\t'*:argument:%s'\n\t\t;;\n", zsh_arguments(c));
}

static void print_zsh_verbs(const struct noun *noun)
{
	(void)printf("\t%s/)\n\t\tchoices=(\n", noun->name);
	for (size_t i = 0; i < commands_count; i++) {
		if (strcmp(commands[i].noun, noun->name) == 0)
			print_zsh_choice(commands[i].verb_or_null, commands[i].summary);
	}
	(void)puts("\t\t)\n\t\t_describe -t commands command choices\n\t\t;;");
}

// clang-format off: lines of the script stay whole
static void print_zsh(void)
{
	(void)fputs("#compdef trk\n"
		    "# Completion of trk for zsh; made by \"trk completion zsh\".\n"
		    "_trk_experiments() {\n"
		    "\tlocal -a names\n"
		    "\tnames=(${(f)\"$(trk experiments list --quiet 2>/dev/null)\"})\n"
		    "\tcompadd -a names\n"
		    "}\n\n"
		    "_trk_models() {\n"
		    "\tlocal -a names\n"
		    "\tnames=(${(f)\"$(trk models list --quiet 2>/dev/null)\"})\n"
		    "\tcompadd -a names\n"
		    "}\n\n"
		    "_trk() {\n"
		    "\tlocal -a choices\n"
		    "\tlocal noun=\"\" verb=\"\" taken=1 single=\" ",
		    stdout);
	for (size_t i = 0; i < commands_count; i++) {
		if (commands[i].verb_or_null == NULL)
			(void)printf("%s ", commands[i].noun);
	}
	(void)fputs("\"\n"
		    "\t(( CURRENT > 2 )) && noun=$words[2]\n"
		    "\tif [[ -n $noun && $single == *\" $noun \"* ]]; then\n"
		    "\t\tverb=-\n"
		    "\telif (( CURRENT > 3 )); then\n"
		    "\t\tverb=$words[3] taken=2\n"
		    "\tfi\n"
		    "\tif [[ -n $verb ]]; then\n"
		    "\t\tshift $taken words\n"
		    "\t\t(( CURRENT -= taken ))\n"
		    "\tfi\n"
		    "\tcase \"$noun${noun:+/$verb}\" in\n"
		    "\t'')\n\t\tchoices=(\n",
		    stdout);
	for (size_t i = 0; i < nouns_count; i++)
		print_zsh_choice(nouns[i].name, nouns[i].summary);
	(void)puts("\t\t)\n\t\t_describe -t commands command choices\n\t\t;;");
	for (size_t i = 0; i < nouns_count; i++) {
		if (command_find(nouns[i].name, NULL) == NULL)
			print_zsh_verbs(&nouns[i]);
	}
	for (size_t i = 0; i < commands_count; i++)
		print_zsh_command(&commands[i]);
	(void)fputs("\tesac\n"
		    "}\n\n"
		    "if [[ $funcstack[1] == _trk ]]; then\n"
		    "\t_trk \"$@\"\n"
		    "else\n"
		    "\tcompdef _trk trk\n"
		    "fi\n",
		    stdout);
}
// clang-format on

bool completion(struct cli *cli, struct error *err)
{
	const char *shell = cli_word(cli, 0);
	if (strcmp(shell, "bash") == 0)
		print_bash();
	else if (strcmp(shell, "zsh") == 0)
		print_zsh();
	else
		return cli_fail_usage(
			cli, err, "there is completion for bash and zsh, not for \"%s\"", shell);
	return true;
}
