/* THE table of trk's commands. */
#include "cli/command.h"
#include "cli/handlers.h"

// clang-format off
const struct command_option common_options[] = {
	{"url", "URL", "server; else $TRK_URL, $MLFLOW_TRACKING_URI, http://127.0.0.1:5000", 0},
	{"json", NULL, "print JSON with stable fields", 0},
	{"quiet", NULL, "print only ids or names, and no talk", 'q'},
	{"help", NULL, "print this help", 'h'},
	{NULL, NULL, NULL, 0},
};

const struct noun nouns[] = {
	{"experiments", "list, make, show, rename, delete and restore experiments"},
	{"runs",        "list, show, compare, delete and restore runs"},
	{"best",        "the best runs of an experiment by a metric"},
	{"log",         "record a run from a shell script"},
	{"artifacts",   "list, download and upload the files of a run"},
	{"models",      "registered models: versions, aliases, verified download"},
	{"sync",        "deliver what programs logged while the server was away"},
	{"doctor",      "look for what is wrong between here and the server"},
	{"ui",          "the address of the web page"},
	{"completion",  "completion script for bash or zsh"},
	{"version",     "versions of trk and of the server"},
};
const size_t nouns_count = ARRAY_COUNT(nouns);

static const struct command_option experiments_list_options[] = {
	{"filter", "F", "filter, such as \"name LIKE 'taxi%'\"", 0},
	{"deleted", NULL, "the deleted ones", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option experiments_create_options[] = {
	{"tag", "K=V", "set a tag; may be given again", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option runs_list_options[] = {
	{"filter", "F", "filter, such as \"metrics.rmse < 5 AND params.model = 'ridge'\"", 0},
	{"order-by", "K", "\"metrics.rmse ASC\", \"attributes.start_time DESC\"; may be given again", 0},
	{"max", "N", "at most N runs (50)", 0},
	{"all", NULL, "as many as there are", 0},
	{"columns", "A,B", "columns: run_id, name, status, start, duration, user, metrics.K, params.K, tags.K", 0},
	{"deleted", NULL, "the deleted ones", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option runs_diff_options[] = {
	{"all", NULL, "also what is the same, and automatic tags", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option runs_delete_options[] = {
	{"experiment", "NAME", "instead of naming runs: those of an experiment", 0},
	{"filter", "F", "with --experiment: only those that fit", 0},
	{"dry-run", NULL, "only print what would be deleted", 0},
	{"yes", NULL, "do not ask", 'y'},
	{NULL, NULL, NULL, 0},
};
static const struct command_option best_options[] = {
	{"metric", "K", "the metric to compare by", 0},
	{"min", NULL, "the smallest is best", 0},
	{"max", NULL, "the largest is best", 0},
	{"top", "N", "how many runs (10; with --quiet and --json 1)", 0},
	{"value", "last|min|max", "which value of each curve counts (last)", 0},
	{"filter", "F", "only runs that fit, such as \"params.alpha > '0.1'\"", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option artifacts_ls_options[] = {
	{"long", NULL, "with sizes; with -r also times and SHA-256", 'l'},
	{"recursive", NULL, "all files below", 'r'},
	{NULL, NULL, NULL, 0},
};
static const struct command_option artifacts_get_options[] = {
	{"to", "DIR", "directory to write into (.)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_create_options[] = {
	{"description", "TEXT", "what it is", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_list_options[] = {
	{"filter", "F", "filter, such as \"name LIKE 'taxi%'\"", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_register_options[] = {
	{"name", "MODEL", "the registered model that gets a version", 0},
	{"alias", "A", "point this alias at the new version", 0},
	{"description", "TEXT", "what is special about the version", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_alias_options[] = {
	{"delete", NULL, "remove the alias", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_get_options[] = {
	{"to", "DIR", "directory that is to hold the model, and nothing else", 0},
	{"force", NULL, "do not keep what was in DIR, whatever it was", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option delete_options[] = {
	{"yes", NULL, "do not ask", 'y'},
	{NULL, NULL, NULL, 0},
};

const struct command commands[] = {
	{"runs", "list", "EXPERIMENT", 1, 1, "runs of an experiment, newest first", runs_list_options, runs_list, NULL},
	{"runs", "delete", "RUN...", 0, WORDS_ANY, "delete runs", runs_delete_options, runs_delete, NULL},
	{"runs", "restore", "RUN...", 1, WORDS_ANY, "restore deleted runs", NULL, runs_restore, NULL},
	{"best", NULL, "EXPERIMENT", 1, 1, "the best runs by a metric", best_options, best, NULL},
	{"artifacts", "ls", "RUN [PATH]", 1, 2, "list the artifacts of a run", artifacts_ls_options, artifacts_ls, NULL},
	{"artifacts", "get", "RUN [PATH]", 1, 2, "download a file or a tree", artifacts_get_options, artifacts_get, NULL},
	{"artifacts", "put", "RUN FILE [PATH]", 2, 3, "upload a file or a directory", NULL, artifacts_put, NULL},
	{"models", "create", "MODEL", 1, 1, "make a registered model", models_create_options, models_create, NULL},
	{"models", "list", "", 0, 0, "all registered models", models_list_options, models_list, NULL},
	{"models", "show", "MODEL", 1, 1, "a model with its versions", NULL, models_show, NULL},
	{"models", "register", "RUN PATH", 2, 2, "make a version of a run's artifacts", models_register_options, models_register, NULL},
	{"models", "alias", "MODEL ALIAS [VERSION]", 2, 3, "point an alias at a version", models_alias_options, models_alias, NULL},
	{"models", "get", "MODEL@ALIAS|MODEL/VERSION", 1, 1, "download a version, verified", models_get_options, model_get, NULL},
	{"models", "delete", "MODEL[/VERSION]", 1, 1, "delete a version or a whole model", delete_options, models_delete, NULL},
};
const size_t commands_count = ARRAY_COUNT(commands);
// clang-format on
