/* THE table of trk's commands. */
#include "cli/command.h"
#include "cli/handlers.h"
#include "cli/time_text.h"

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
	{"gc",          "remove for good what was deleted; what goes, what stays and why"},
	{"best",        "the best runs of an experiment by a metric"},
	{"log",         "record a run from a shell script"},
	{"artifacts",   "list, download and upload the files of a run"},
	{"models",      "registered models: versions, aliases, verified download"},
	{"promote",     "move an alias to a version, if it meets the requirements"},
	{"deploy",      "a version into a directory, in use only if it works; and back"},
	{"serve",       "answer requests for predictions over HTTP, with the version an alias names"},
	{"deployments", "what runs where, and whether the aliases say so", "list"},
	{"events",      "what happens on the server, as it happens"},
	{"webhooks",    "tell others of changes in the registry; what was delivered"},
	{"import",      "bring in what another tracker kept"},
	{"export",      "copy everything into a folder that other programs read"},
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
static const struct command_option experiments_delete_options[] = {
	{"force", NULL, "also when a model version needs one of its runs", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option gc_options[] = {
	{"dry-run", NULL, "only tell what would go, and why the rest stays", 0},
	{"older-than", "AGE", "what was deleted at least so long ago: 30d, 12h, 0 (30d)", 0},
	{"yes", NULL, "do not ask", 'y'},
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
	{"force", NULL, "also those that a model version needs", 0},
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
static const struct command_option artifacts_put_options[] = {
	{"force", NULL, "also in place of files of model versions in use", 0},
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
static const struct command_option models_show_options[] = {
	{"at", "TIME", "as it was then: " TIME_TEXT_HELP, 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_history_options[] = {
	{"since", "TIME", "not before: " TIME_TEXT_HELP, 0},
	{"until", "TIME", "not after", 0},
	{"max", "N", "at most N events (50)", 0},
	{"all", NULL, "of all models that ever had this name", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_verify_options[] = {
	{"expect", "DIGEST", "a digest that was noted: it must still be in the chain", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_restore_options[] = {
	{"reason", "TEXT", "why; kept in the history", 0},
	{"force", NULL, "also when its files are gone", 0},
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
	{"if-revision", "N", "only if it has this revision still (0: is not there); else exit status 4", 0},
	{"reason", "TEXT", "why; kept in the history", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_require_options[] = {
	{"remove", "REQ", "a requirement that falls away; may be given again", 0},
	{"protect", "ALIAS", "it moves by \"trk promote\" only; may be given again", 0},
	{"unprotect", "ALIAS", "it moves freely again; may be given again", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_rollback_options[] = {
	{"to", "VERSION", "one that held the alias before; else the last one", 0},
	{"reason", "TEXT", "why; needed for protected aliases", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option promote_options[] = {
	{"to", "ALIAS", "the alias that is to name the version", 0},
	{"reason", "TEXT", "why; kept in the history", 0},
	{"force", NULL, "also when requirements are not met; recorded", 0},
	{"dry-run", NULL, "only check the requirements", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_get_options[] = {
	{"to", "DIR", "directory that is to hold the model, and nothing else", 0},
	{"force", NULL, "do not keep what was in DIR, whatever it was", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option deploy_options[] = {
	{"to", "DIR", "directory of the deployment; DIR/current is the model to use", 0},
	{"hook", "CMD", "tell the service: run after the exchange, by sh", 0},
	{"health", "CMD", "does it work? Run after the hook until it succeeds, by sh", 0},
	{"health-retries", "N", "further attempts of the health check (5)", 0},
	{"health-interval", "S", "seconds between them (2)", 0},
	{"timeout", "S", "seconds that the hook, or one health check, may take (60)", 0},
	{"name", "TARGET", "name of what is deployed to (the host's)", 0},
	{"env", "ENV", "its environment, such as prod", 0},
	{"keep", "N", "versions to keep, the current and the previous one included (3)", 0},
	{"force", NULL, "also when the version is in place already", 0},
	{"watch", NULL, "go on: follow the alias until asked to end", 0},
	{"heartbeat", "S", "while watching, tell the server every S seconds that it runs (30)", 0},
	{"retry", "S", "try a version that failed again after S seconds, then ever later (60)", 0},
	{"no-report", NULL, "tell the server nothing of this deployment", 0},
	{"rollback", NULL, "exchange the current and the previous version", 0},
	{"status", NULL, "what is deployed, and how it went", 0},
	{"dry-run", NULL, "change nothing; say what would happen", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option serve_options[] = {
	{"cmd", "CMD", "answers requests, one JSON object a line on stdin and stdout; run by sh", 0},
	{"workers", "N", "processes of it (2)", 0},
	{"listen", "ADDR", "HOST:PORT (127.0.0.1:8080); port 0 lets the kernel choose", 0},
	{"allowed-hosts", "NAMES", "host names in requests, comma-separated (*; on loopback none)", 0},
	{"dir", "DIR", "where versions are kept (MODEL.served)", 0},
	{"model-dir", "DIR", "serve this folder, without a server", 0},
	{"timeout", "S", "seconds that an answer may take, and a request may wait (60)", 0},
	{"start-timeout", "S", "seconds until a worker has to answer the probe (60)", 0},
	{"queue", "N", "requests that may wait; more are answered with 503 (100)", 0},
	{"max-body", "BYTES", "largest request (16777216)", 0},
	{"env", "ENV", "environment that is served, such as prod", 0},
	{"target", "TARGET", "name of what serves (the host's)", 0},
	{"heartbeat", "S", "tell the server every S seconds that it is served (30)", 0},
	{"no-watch", NULL, "stay with the version that the alias names now", 0},
	{"no-report", NULL, "tell the server nothing of what is served", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option events_options[] = {
	{"max", "N", "end after so many events", 0},
	{0},
};
static const struct command_option deployments_list_options[] = {
	{"model", "MODEL", "only those of this model", 0},
	{"env", "ENV", "only those of this environment", 0},
	{"target", "TARGET", "only those with this name", 0},
	{"state", "deploying|active|rolled_back|failed|stale", "only those in this state", 0},
	{"check", NULL, "exit status 7 if any differs, failed or is stale", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option deployments_show_options[] = {
	{"max", "N", "at most N rows of history (20)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option export_mlflow_options[] = {
	{"experiment", "NAME", "only this one, and no models; may be given again", 0},
	{"no-artifacts", NULL, "leave the artifacts at the server, and name their addresses there", 0},
	{"dry-run", NULL, "write nothing; say what would be new", 0},
	{"force", NULL, "add to a folder that holds something else; what is there stays", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option log_run_start_options[] = {
	{"experiment", "NAME", "made if there is none; else $TRK_EXPERIMENT, $MLFLOW_EXPERIMENT_NAME, Default", 0},
	{"name", "NAME", "name of the run; else the server makes one up", 0},
	{"parent", "RUN", "make it a child of this run", 0},
	{"tag", "K=V", "set a tag; may be given again", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option log_metric_options[] = {
	{"step", "N", "step of the values (0)", 0},
	{"time", "MS", "time of the values, in milliseconds since 1970 (now)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option log_artifact_options[] = {
	{"path", "P", "where to, within the run's artifacts (the local name)", 0},
	{"force", NULL, "also in place of files of model versions in use", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option log_run_end_options[] = {
	{"status", "FINISHED|FAILED|KILLED", "how it ended (FINISHED)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option webhooks_create_options[] = {
	{"event", "E", "what is told, such as model_version.created; may be given again", 0},
	{"secret-file", "FILE", "its first line signs what is sent; - for standard input", 0},
	{"description", "TEXT", "what it is for", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option webhooks_test_options[] = {
	{"event", "E", "an example of this event (the webhook's first)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option webhooks_log_options[] = {
	{"max", "N", "at most N deliveries (20; 1000 at the most)", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option import_options[] = {
	{"experiment", "NAME", "only the experiment of this name, without the registry", 0},
	{"artifacts-root", "DIR", "where the files behind mlflow-artifacts:/ addresses are", 0},
	{"no-artifacts", NULL, "leave the artifacts where they are", 0},
	{"dry-run", NULL, "read everything, write nothing, and say what would come over", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option ui_options[] = {
	{"print", NULL, "only print the address", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option models_delete_options[] = {
	{"yes", NULL, "do not ask", 'y'},
	{"force", NULL, "also if it holds a protected alias", 0},
	{NULL, NULL, NULL, 0},
};
static const struct command_option delete_options[] = {
	{"yes", NULL, "do not ask", 'y'},
	{NULL, NULL, NULL, 0},
};

#define FILTER_HELP \
	"A filter compares attributes, metrics, params and tags, joined by AND:\n" \
	"  metrics.rmse < 5 AND params.model = 'ridge' AND attributes.status = 'FINISHED'"
#define WEBHOOK_HELP "WEBHOOK is a webhook's name, its id, or at least the first 6 characters of that."
#define TARGET_HELP "TARGET is a target's name, with its environment (prod/dispatch), the deployment's id, or at least the first 6 of its digits."
#define EVENTS_HELP \
	"Events: registered_model.created, model_version.created, model_version_tag.set and .deleted, model_version_alias.created and .deleted; the same of prompts: prompt.created, prompt_version.created, prompt_tag.set, ...\n" \
	"The URL must begin with https:// and lead to a public address, unless the server was told otherwise. Receivers verify X-MLflow-Signature with the secret."
#define RUN_HELP "RUN is a run's id, or at least the first 6 of its digits."
#define LOG_HELP \
	"Without RUN it is the run of $TRK_RUN_ID:\n" \
	"  export TRK_RUN_ID=$(trk log run-start --experiment taxi)\n" \
	"  trk log param alpha=0.3\n" \
	"  trk log metric loss=0.25 --step 1\n" \
	"  trk log run-end"

const struct command commands[] = {
	{"experiments", "list", "", 0, 0, "all experiments", experiments_list_options, experiments_list, NULL},
	{"experiments", "create", "NAME", 1, 1, "make an experiment; prints its id", experiments_create_options, experiments_create, NULL},
	{"experiments", "show", "EXPERIMENT", 1, 1, "one experiment", NULL, experiments_show, NULL},
	{"experiments", "rename", "EXPERIMENT NEW-NAME", 2, 2, "give it another name", NULL, experiments_rename, NULL},
	{"experiments", "delete", "EXPERIMENT", 1, 1, "delete it; it can be restored", experiments_delete_options, experiments_delete,
	 "An experiment with a run that a model version needs is refused without --force."},
	{"experiments", "restore", "EXPERIMENT", 1, 1, "restore a deleted one", NULL, experiments_restore, NULL},
	{"runs", "list", "EXPERIMENT", 1, 1, "runs of an experiment, newest first", runs_list_options, runs_list, FILTER_HELP},
	{"runs", "show", "RUN", 1, 1, "all about one run, with its curves", NULL, run_show, RUN_HELP},
	{"runs", "diff", "RUN RUN...", 2, WORDS_ANY, "what differs between runs", runs_diff_options, run_diff, RUN_HELP},
	{"runs", "delete", "RUN...", 0, WORDS_ANY, "delete runs; they can be restored", runs_delete_options, runs_delete,
	 RUN_HELP "\nRuns that are chosen by --experiment and --filter are deleted after a question on a terminal, else only with --yes.\n"
	 "A run that a model version needs stays without --force; the others go, and the exit status is 4."},
	{"runs", "restore", "RUN...", 1, WORDS_ANY, "restore deleted runs", NULL, runs_restore, RUN_HELP},
	{"gc", NULL, "", 0, 0, "remove for good what was deleted", gc_options, gc,
	 "Runs, experiments and logged models that were deleted at least --older-than ago go with all they logged and their files; until then they can be restored. What a version of the registry needs stays.\n"
	 "The server keeps the freed pages of its databases for what comes next. Other work goes on meanwhile; what was interrupted is finished by the next trk gc.\n"
	 "  trk gc --dry-run\n"
	 "  trk gc --older-than 90d --yes"},
	{"best", NULL, "EXPERIMENT", 1, 1, "the best runs by a metric", best_options, best, FILTER_HELP},
	{"log", "run-start", "", 0, 0, "start a run; prints its id", log_run_start_options, log_run_start, LOG_HELP},
	{"log", "param", "[RUN] K=V...", 1, WORDS_ANY, "set parameters", NULL, log_param, LOG_HELP},
	{"log", "metric", "[RUN] K=V...", 1, WORDS_ANY, "log values of metrics", log_metric_options, log_metric, LOG_HELP},
	{"log", "tag", "[RUN] K=V...", 1, WORDS_ANY, "set tags", NULL, log_tag, LOG_HELP},
	{"log", "artifact", "[RUN] FILE", 1, 2, "upload a file or a directory", log_artifact_options, log_artifact, LOG_HELP},
	{"log", "run-end", "[RUN]", 0, 1, "end a run", log_run_end_options, log_run_end, LOG_HELP},
	{"artifacts", "ls", "RUN [PATH]", 1, 2, "list the artifacts of a run", artifacts_ls_options, artifacts_ls, RUN_HELP},
	{"artifacts", "get", "RUN [PATH]", 1, 2, "download a file or a tree", artifacts_get_options, artifacts_get,
	 "Every file is verified by its SHA-256. What a broken transfer left is gone on with; what is there already is not fetched again."},
	{"artifacts", "put", "RUN FILE [PATH]", 2, 3, "upload a file or a directory", artifacts_put_options, artifacts_put,
	 "A directory goes as one tarball, which the server stores in one transaction. Files of model versions in use get no other bytes without --force."},
	{"models", "create", "MODEL", 1, 1, "make a registered model", models_create_options, models_create, NULL},
	{"models", "list", "", 0, 0, "all registered models", models_list_options, models_list, NULL},
	{"models", "show", "MODEL", 1, 1, "a model with its versions", models_show_options, models_show, NULL},
	{"models", "history", "MODEL", 1, 1, "who changed what, newest first", models_history_options, models_history,
	 "Also of a deleted model. Who is $TRK_USER of whoever made the change, else the login name; nothing of it is proven."},
	{"models", "verify", "", 0, 0, "check that the history is whole, and the registry as it tells", models_verify_options, models_verify,
	 "Events are chained by SHA-256: an edited, missing or swapped one is found, and so is a change of the registry that has no event. Prints number and digest of the last event. Note them elsewhere: who may write the whole database can make a new chain, which only --expect with a digest noted before tells from the old one. Exit status 1 when something is wrong.\n"
	 "  trk models verify --expect 6b5c0f…"},
	{"models", "restore", "MODEL [VERSION]", 1, 2, "bring back a deleted model or version", models_restore_options, models_restore,
	 "From the history, with tags and stage, without aliases. Refused (exit status 4) when it is there, or its files are gone."},
	{"models", "register", "RUN PATH", 2, 2, "make a version of a run's artifacts", models_register_options, models_register,
	 "PATH is within the run's artifacts. The SHA-256 of the tree is kept as tag trackerd.tree_sha256, and \"models get\" compares it."},
	{"models", "alias", "MODEL ALIAS [VERSION]", 2, 3, "point an alias at a version", models_alias_options, models_alias, NULL},
	{"models", "get", "MODEL@ALIAS|MODEL/VERSION", 1, 1, "download a version, verified", models_get_options, model_get,
	 "All files are fetched beside DIR and verified; then DIR is exchanged in one step, so it holds the old files or the new ones, never a part. If DIR held anything but a version of this model, that is kept beside it."},
	{"models", "require", "MODEL [REQ...]", 1, WORDS_ANY, "what versions must fulfil to be promoted", models_require_options, models_require,
	 "Without more it shows the requirements and protected aliases. A requirement compares a metric (or size, files) with a number, or with what the holder of an alias has, give or take a margin; or it is digest, tags.NAME or params.NAME = 'text':\n"
	 "  trk models require taxi 'rmse_val <= champion + 0.5%' 'size < 200M' digest\n"
	 "  trk models require taxi --protect champion\n"
	 "  trk models require taxi --remove 'size < 200M'"},
	{"models", "diff", "MODEL A B", 3, 3, "how two versions differ", NULL, models_diff,
	 "A and B are versions, or aliases with @: trk models diff taxi @champion 7. Compares parameters, metrics, digests of data, tags and files."},
	{"models", "lineage", "MODEL@ALIAS|MODEL VERSION", 1, 2, "where a version comes from, and where it runs", NULL, models_lineage, NULL},
	{"models", "rollback", "MODEL@ALIAS", 1, 1, "move an alias back to where it was", models_rollback_options, models_rollback,
	 "Goes to the version that the alias had before its latest move; again, further back."},
	{"models", "delete", "MODEL[/VERSION]", 1, 1, "delete a version or a whole model", models_delete_options, models_delete, NULL},
	{"promote", NULL, "MODEL VERSION", 2, 2, "move an alias to a version, if it meets the requirements", promote_options, promote,
	 "Every requirement of the model (\"trk models require\") is printed with its figure. If one is not met, nothing changes and the exit status is 7; --force moves the alias all the same. The move, its reason and its checks stay in the history.\n"
	 "  trk promote taxi 7 --to champion --reason 'better on weekends'"},
	{"deploy", NULL, "[MODEL@ALIAS|MODEL/VERSION]", 0, 1, "put a version to use, verified, with a way back", deploy_options, deploy,
	 "Files go to DIR/versions, every SHA-256 verified; then the link DIR/current is exchanged in one step, the hook runs and the health check decides. If anything fails, the old version is put back and the hook runs again. A deployment that was killed is finished or undone by the next one.\n"
	 "Hook and health check find TRK_MODEL, TRK_VERSION, TRK_TREE_SHA256, TRK_PATH, TRK_PREVIOUS_PATH, TRK_ENV, TRK_TARGET and TRK_CAUSE (deploy, rollback, put-back) in their environment. Both may run twice for a version. --rollback runs those of the last deployment unless others are given.\n"
	 "  trk deploy taxi@champion --to /srv/taxi --hook 'systemctl reload taxi'\n"
	 "With --watch it holds the directory and follows the alias: a move is deployed within seconds; while the server is away it keeps what it has, and catches up. A version whose hook or health check failed is tried again after --retry seconds, doubling up to an hour, or when the alias moves. SIGTERM ends it with status 0. Under systemd (Type=notify) it is ready when a version is in place.\n"
	 "  trk deploy --rollback --to /srv/taxi\n"
	 "  trk deploy taxi@champion --to /srv/taxi --hook 'systemctl reload taxi' --watch"},
	{"serve", NULL, "[MODEL@ALIAS|MODEL/VERSION]", 0, 1, "answer requests for predictions with a version", serve_options, serve,
	 "POST /invocations takes MLflow's dataframe_split, dataframe_records, instances and inputs, or text/csv with a line of names. A worker reads one of\n"
	 "  {\"id\": 7, \"records\": [{\"a\": 1}, ...]}     rows with names\n"
	 "  {\"id\": 7, \"inputs\": ...}                   anything else, as it came\n"
	 "on a line, with \"params\" if the request had some, and answers with one line:\n"
	 "  {\"id\": 7, \"predictions\": ...}   or   {\"id\": 7, \"error\": \"why\"}\n"
	 "At its start it is asked {\"id\": 0, \"probe\": true}, or the model's serving_input_example.json, and answers with that id. It ends when its input does. Standard error goes to the log. Its environment has TRK_MODEL, TRK_VERSION, TRK_ALIAS, TRK_RUN_ID and TRK_MODEL_PATH.\n"
	 "When the alias moves, the new version is downloaded and verified, its workers start, and once all answered the probe it takes over; requests under way are finished by the old one. If one does not, the old version goes on. While the server is away, what DIR holds is served.\n"
	 "  trk serve taxi@champion --cmd 'taxi-predict --serve \"$TRK_MODEL_PATH\"'"},
	{"events", NULL, "[TOPIC …]", 0, 100, "what happens on the server, as it happens", events_options, events,
	 "Topics are run:ID, experiment:ID (with its runs), model:NAME and deployment:ID, with * for all; without any, all models and deployments. Goes on when the server was away: what is kept of models and deployments is not missed; \"reset\" names what has to be read again.\n"
	 "  trk events model:taxi --json"},
	{"deployments", "list", "", 0, 0, "what runs where, and what the aliases say", deployments_list_options, deployments_list,
	 "Targets report themselves: \"trk deploy\" and \"trk serve\" do. \"v4 (says v5)\": version 4 runs, while the alias says version 5. A target that missed three of its heartbeats is stale.\n"
	 "--check fails for those that are chosen only, and for none where none is.\n"
	 "  trk deployments --env prod --check"},
	{"deployments", "show", "TARGET", 1, 1, "one of them, with its history", deployments_show_options, deployments_show, TARGET_HELP},
	{"deployments", "forget", "TARGET", 1, 1, "forget a target that is gone; its history stays", delete_options, deployments_forget,
	 TARGET_HELP " One that is still there reports again."},
	{"webhooks", "list", "", 0, 0, "all webhooks", NULL, webhooks_list, NULL},
	{"webhooks", "create", "NAME URL", 2, 2, "make a webhook; prints its id", webhooks_create_options, webhooks_create, EVENTS_HELP},
	{"webhooks", "delete", "WEBHOOK", 1, 1, "delete it with the log of its deliveries", delete_options, webhooks_delete, WEBHOOK_HELP},
	{"webhooks", "test", "WEBHOOK", 1, 1, "send it an example; fails unless it answers 2xx", webhooks_test_options, webhooks_test,
	 WEBHOOK_HELP},
	{"webhooks", "log", "WEBHOOK", 1, 1, "what was delivered, newest first", webhooks_log_options, webhooks_log, WEBHOOK_HELP},
	{"webhooks", "replay", "WEBHOOK DELIVERY", 2, 2, "deliver it again, or at once if it waits", NULL, webhooks_replay,
	 WEBHOOK_HELP " DELIVERY is the id of a delivery, or at least its first 6 characters."},
	{"import", "mlflow", "SOURCE", 1, 1, "import an MLflow database, folder or server", import_options, import_mlflow,
	 "SOURCE is MLflow's SQLite file, the address of a running MLflow server, or a folder mlruns. It is only read. Ids, names, times, lifecycle, tags, curves, models and artifacts are kept. Importing again adds what is new and completes what broke off. What did not come over is named, and the exit status is then 9.\n"
	 "  trk import mlflow mlflow.db --artifacts-root mlartifacts\n"
	 "  trk import mlflow http://mlflow.example:5000"},
	{"export", "mlflow", "DIR", 1, 1, "everything as a file store of MLflow (mlruns)", export_mlflow_options, export_mlflow,
	 "MLflow opens it with --backend-store-uri DIR, or set_tracking_uri(\"file:DIR\"); its newest releases want MLFLOW_ALLOW_FILE_STORE=true for that. Exporting again adds what is new or has changed. What a file store has no place for is named on standard error."},
	{"sync", NULL, "[DIR]", 0, 1, "deliver spools that programs left behind", NULL, sync_spools,
	 "DIR is a folder of spools, or one run's; else $TRK_SPOOL_DIR, $XDG_STATE_HOME/trk/spool or ~/.local/state/trk/spool. Runs go to the server they were started for, unless --url names another. A run whose program died is closed as FAILED."},
	{"doctor", NULL, "", 0, 0, "look for what is wrong between here and the server", NULL, doctor, NULL},
	{"ui", NULL, "[RUN]", 0, 1, "print the address of the web page, and open it", ui_options, ui, NULL},
	{"completion", NULL, "bash|zsh", 1, 1, "print a completion script", NULL, completion,
	 "For this shell only:\n  source <(trk completion bash)"},
	{"version", NULL, "", 0, 0, "versions of trk and of the server", NULL, version, NULL},
};
const size_t commands_count = ARRAY_COUNT(commands);
// clang-format on
