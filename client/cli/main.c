/* trk: the command line of trackerd. Owns the way from argv to a command and from its error to an
 * exit status. */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "src/settings.h"

#define ARENA_BYTES_MAX ((size_t)8 << 30) /* the largest listing; the system gives less than that */

static volatile sig_atomic_t interrupted;

bool cli_is_interrupted(void)
{
	return interrupted != 0;
}

/* The first Ctrl-C lets a command end in order, the second ends it at once. */
static void on_signal(int signal_number)
{
	interrupted = signal_number;
}

void cli_watch_signals(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
	(void)sigemptyset(&action.sa_mask); /* cannot fail */
	for (size_t i = 0; i < ARRAY_COUNT(signals); i++)
		(void)sigaction(signals[i], &action, NULL); /* valid arguments cannot fail */
}

/* The server speaks to users of its API: what "force=true" is here. */
static bool needs_force_hint(const struct cli *cli, const char *message)
{
	const struct command_option *option =
		cli->command != NULL ? cli->command->options_or_null : NULL;
	for (; option != NULL && option->name != NULL; option++) {
		if (strcmp(option->name, "force") == 0)
			return strstr(message, "force=true") != NULL;
	}
	return false;
}

static int fail(const struct cli *cli, const struct error *err)
{
	enum cli_exit status = cli->exit != CLI_OK ? cli->exit : cli_exit_of(err->code);
	(void)fputs("trk: ", stderr);
	terminal_print(stderr, cli->arena, STYLE_PLAIN, slice_from_cstr(err->message));
	(void)fputs(needs_force_hint(cli, err->message) ? " With trk that is --force.\n" : "\n",
		    stderr);
	if (status == CLI_USAGE && cli->command != NULL) {
		const char *verb = cli->command->verb_or_null;
		(void)fprintf(stderr, "Try: trk %s%s%s --help\n", cli->command->noun,
			      verb != NULL ? " " : "", verb != NULL ? verb : "");
	}
	return (int)status;
}

static bool check_words(struct cli *cli, struct error *err)
{
	const struct command *c = cli->command;
	size_t count = cli->arguments.word_count;
	char quoted[64];
	if (count < c->words_min)
		return cli_fail_usage(cli, err, "something is missing; it takes: %s", c->arguments);
	if (count <= c->words_max)
		return true;
	error_quote(slice_from_cstr(cli->arguments.words[c->words_max]), quoted, sizeof(quoted));
	if (c->arguments[0] == '\0')
		return cli_fail_usage(cli, err, "\"%s\" is too much; it takes no arguments",
				      quoted);
	return cli_fail_usage(cli, err, "\"%s\" is too much; it takes: %s", quoted, c->arguments);
}

/* `count` words after the noun and the verb. */
static int run_command(struct cli *cli, int count, char **words)
{
	static const struct command_option no_options[] = {{NULL, NULL, NULL, 0}};
	const struct command_option *own = cli->command->options_or_null;
	const struct command_option *tables[] = {own != NULL ? own : no_options, common_options,
						 NULL};
	struct error err;
	error_clear(&err);
	if (!arguments_parse(count, words, tables, cli->arena, &cli->arguments, &err)) {
		cli->exit = CLI_USAGE;
		return fail(cli, &err);
	}
	if (cli_flag(cli, "help")) {
		help_print_command(cli->command);
		return CLI_OK;
	}
	const char *url = cli_option(cli, "url", NULL);
	cli->url_is_given = url != NULL;
	cli->url = url != NULL ? url : settings_default_url();
	cli->json = cli_flag(cli, "json");
	cli->quiet = cli_flag(cli, "quiet");
	if (!check_words(cli, &err) || !cli->command->run(cli, &err))
		return fail(cli, &err);
	return CLI_OK;
}

static bool is_flag(int argc, char **argv, const char *a, const char *b)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], a) == 0 || strcmp(argv[i], b) == 0)
			return true;
	}
	return false;
}

/* Finds noun and verb among the words and takes them out of argv, so that options may stand before
 * them. */
static int dispatch(struct cli *cli, int argc, char **argv)
{
	int noun_at = arguments_next_word(argc, argv, 1, common_options);
	if (noun_at == argc && is_flag(argc, argv, "--version", "-V")) {
		static char *no_words[] = {NULL};
		cli->command = command_find("version", NULL);
		return run_command(cli, 0, no_words);
	}
	if (noun_at == argc || strcmp(argv[noun_at], "help") == 0) {
		bool is_help = noun_at < argc || is_flag(argc, argv, "--help", "-h");
		return help_print(is_help, noun_at + 1 < argc ? argv[noun_at + 1] : NULL,
				  noun_at + 2 < argc ? argv[noun_at + 2] : NULL);
	}
	int verb_at = arguments_next_word(argc, argv, noun_at + 1, common_options);
	const char *verb = verb_at < argc ? argv[verb_at] : NULL;
	bool is_asked = is_flag(argc, argv, "--help", "-h");
	cli->command = command_find(argv[noun_at], verb);
	/* Only options follow, and words that are their values. */
	bool is_default =
		cli->command == NULL && !is_asked && (verb_at != noun_at + 1 || verb_at == argc);
	if (is_default)
		cli->command = command_default(argv[noun_at]);
	if (cli->command == NULL)
		return help_print(is_asked && verb == NULL, argv[noun_at], verb);
	char **words = ARENA_NEW(cli->arena, char *, (size_t)argc);
	int count = 0;
	for (int i = 1; i < argc; i++) {
		bool is_verb = i == verb_at && cli->command->verb_or_null != NULL && !is_default;
		if (i != noun_at && !is_verb)
			words[count++] = argv[i];
	}
	return run_command(cli, count, words);
}

static int run_guarded(struct cli *cli, int argc, char **argv)
{
	jmp_buf guard;
	if (setjmp(guard) != 0) {
		(void)fputs("trk: out of memory\n", stderr);
		return CLI_FAILED;
	}
	arena_guard_set(cli->arena, &guard);
	return dispatch(cli, argc, argv);
}

int main(int argc, char **argv)
{
	struct arena arena;
	struct cli cli = {.arena = &arena};
	(void)setlocale(LC_CTYPE,
			"C.UTF-8");	/* widths of characters; without it they count one each */
	(void)signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of write */
	cli_watch_signals();
	arena_init(&arena, ARENA_BYTES_MAX);
	cli_init_fetcher(&cli);
	int status = run_guarded(&cli, argc, argv);
	if ((fflush(stdout) != 0 || ferror(stdout)) && status == CLI_OK && !interrupted) {
		/* "trk … | head" has all it wants. */
		status = CLI_FAILED;
	}
	api_close(cli.api_or_null);
	buffer_deinit(&cli.text);
	arena_deinit(&arena);
	if (interrupted && !cli.is_service)
		return 128 + interrupted; /* as shells say it: 130 for Ctrl-C */
	return status;
}
