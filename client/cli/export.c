/* Owns "trk export mlflow": options, experiments and what is in them. */
#include "cli/export.h"

#include <stdio.h>
#include <string.h>

#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_view.h"
#include "cli/yaml_reader.h"
#include "src/artifact_uri.h"
#include "src/files.h"

enum {
	PAGE_EXPERIMENTS = 1000,
	PAGE_RUNS = 100,
	PAGE_COUNTED = 1000,
	META_BYTES_MAX = 16 * 1024 * 1024
};

/* What goes from experiment to experiment. */
struct journey {
	const char *const *names; /* wanted; all if there are none */
	size_t name_count, found_count;
};

static bool each_experiment(struct export *x, struct journey *journey, struct error *err);
static bool count_runs(struct export *x, const struct journey *journey, struct error *err);
static bool tell_of_webhooks(struct export *x, struct error *err);

/* Everything, and then the last of it in its place. */
static bool run_export(struct export *x, struct journey *journey, struct error *err)
{
	if (!count_runs(x, journey, err) || !each_experiment(x, journey, err))
		return false;
	if (journey->found_count < journey->name_count)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "%zu of the experiments that are named do not exist",
				 journey->name_count - journey->found_count);
	if (journey->name_count == 0 && (!export_registry(x, err) || !tell_of_webhooks(x, err)))
		return false;
	return x->is_dry || export_tree_flush(&x->tree, err);
}

static void take_names(struct cli *cli, struct journey *journey)
{
	const char **names = ARENA_NEW(cli->arena, const char *, cli->arguments.option_count + 1);
	const char *name;
	size_t at = 0;
	while ((name = arguments_next(&cli->arguments, "experiment", &at)) != NULL)
		names[journey->name_count++] = name;
	journey->names = names;
}

bool export_mlflow(struct cli *cli, struct error *err)
{
	struct export x = {
		.cli = cli,
		.with_artifacts = !cli_flag(cli, "no-artifacts"),
		.is_dry = cli_flag(cli, "dry-run"),
	};
	struct journey journey = {0};
	struct api *api;
	take_names(cli, &journey);
	/* A bad address fails before anything is made. */
	if (!cli_api(cli, &api, err) ||
	    !export_tree_open(cli, cli_word(cli, 0), cli_flag(cli, "force"), x.is_dry, &x.tree,
			      err))
		return false;
	x.root_uri = arena_cstr(cli->arena,
				arena_printf(cli->arena, "file://%s",
					     cli_encode_path(cli, slice_from_cstr(x.tree.root))));
	import_report_init(&x.report, cli);
	bool ok = yaml_writer_new(&x.yaml, err) && run_export(&x, &journey, err);
	progress_end(&x.progress);
	ok = ok && import_report_print(&x.report, x.is_dry ? "would export" : "exported",
				       "exported", err);
	yaml_writer_free(x.yaml);
	import_report_deinit(&x.report);
	export_tree_close(&x.tree);
	return ok;
}

/* ---- experiments ----------------------------------------------------------------------------- */

static bool write_experiment(struct export *x, const struct export_experiment *e,
			     const struct json_value *experiment, struct error *err)
{
	struct arena *arena = x->cli->arena;
	struct yaml_writer *y = x->yaml;
	const char *path = arena_cstr(arena, arena_printf(arena, "%s/meta.yaml", e->folder));
	struct slice text, location = export_text(experiment, "artifact_location"), ignored_path;
	struct error ignored;
	if (!slice_is_present(location) || artifact_uri_path(location, &ignored_path, &ignored))
		location = arena_printf(arena, "%s/%s", x->root_uri, e->id);
	yaml_writer_begin(y);
	yaml_put_string(y, "artifact_location", location);
	yaml_put_int(y, "creation_time",
		     json_tree_i64(json_tree_get(experiment, "creation_time"), 0));
	yaml_put_string(y, "experiment_id", slice_from_cstr(e->id));
	yaml_put_int(y, "last_update_time",
		     json_tree_i64(json_tree_get(experiment, "last_update_time"), 0));
	yaml_put_string(y, "lifecycle_stage", json_text(experiment, "lifecycle_stage"));
	yaml_put_string(y, "name", json_text(experiment, "name"));
	return yaml_writer_end(y, &text, err) && export_tree_folder(&x->tree, e->folder, err) &&
	       export_tree_replace(&x->tree, path, text, err);
}

static bool put_tags(struct export *x, const struct export_experiment *e,
		     const struct json_value *tags, struct error *err)
{
	const char *name =
		arena_cstr(x->cli->arena, arena_printf(x->cli->arena, "%s/tags", e->folder));
	int fd;
	if (json_items(tags) == NULL && !export_tree_has(&x->tree, name))
		return true;
	if (!export_tree_stage(&x->tree, &fd, err))
		return false;
	if (export_pairs_into(x, EXPORT_TAGS(tags), fd, "tag of an experiment",
			      slice_from_cstr(e->id), err))
		return export_tree_put(&x->tree, fd, name, NULL, err);
	export_tree_drop(&x->tree, fd);
	return false;
}

/* ---- runs ------------------------------------------------------------------------------------ */

static void write_runs_of(struct json_writer *w, const void *context)
{
	export_write_experiment(w, context);
	json_put_cstr(w, "run_view_type", "ALL");
}

static bool take_run(struct export *x, void *context, const struct json_value *run,
		     struct error *err)
{
	if (!export_run(x, context, run_id_of(run), err))
		return false;
	progress_add(&x->progress, 1);
	return true;
}

static bool each_run(struct export *x, struct export_experiment *e, struct error *err)
{
	const struct export_search search = {
		.path = "/api/2.0/mlflow/runs/search",
		.items = "runs",
		.page_items = PAGE_RUNS,
		.write = write_runs_of,
		.item = take_run,
		.context = e,
	};
	return export_search(x, &search, err);
}

/* ---- what has no place ----------------------------------------------------------------------- */

static void write_traces_of(struct json_writer *w, const void *context)
{
	const struct export_experiment *e = context;
	json_key(w, "locations");
	json_array_begin(w);
	json_object_begin(w);
	json_put_cstr(w, "type", "MLFLOW_EXPERIMENT");
	json_key(w, "mlflow_experiment");
	json_object_begin(w);
	json_put_cstr(w, "experiment_id", e->id);
	json_object_end(w);
	json_object_end(w);
	json_array_end(w);
}

static bool take_trace(struct export *x, void *context, const struct json_value *trace,
		       struct error *err)
{
	(void)context, (void)err;
	import_report_add(&x->report, IMPORT_UNSUPPORTED, "trace", json_text(trace, "trace_id"),
			  "traces are not exported");
	return true;
}

static bool take_webhook(struct export *x, void *context, const struct json_value *webhook,
			 struct error *err)
{
	(void)context, (void)err;
	import_report_add(&x->report, IMPORT_UNSUPPORTED, "webhook", json_text(webhook, "name"),
			  "a file store has no place for it");
	return true;
}

static bool tell_of_traces(struct export *x, struct export_experiment *e, struct error *err)
{
	const struct export_search search = {
		.path = "/api/3.0/mlflow/traces/search",
		.items = "traces",
		.page_items = PAGE_RUNS,
		.write = write_traces_of,
		.item = take_trace,
		.context = e,
	};
	return export_search_if_known(x, &search, err);
}

static bool tell_of_webhooks(struct export *x, struct error *err)
{
	const struct export_search search = {
		.path = "/api/2.0/mlflow/webhooks",
		.query_or_null = "",
		.items = "webhooks",
		.page_items = PAGE_RUNS,
		.item = take_webhook,
	};
	return export_search_if_known(x, &search, err);
}

/* ---- from experiment to experiment ----------------------------------------------------------- */

static bool is_wanted(const struct journey *journey, struct slice name)
{
	size_t i = 0;
	while (i < journey->name_count && !slice_eq_cstr(name, journey->names[i]))
		i++;
	return journey->name_count == 0 || i < journey->name_count;
}

/* Does the folder of others hold the same experiment? Then runs may be added to it. */
static bool is_same_name(struct export *x, const char *folder, struct slice name)
{
	struct arena *arena = x->cli->arena;
	const char *path = arena_cstr(arena, arena_printf(arena, "%s/meta.yaml", folder));
	struct json_value *meta;
	struct error ignored;
	struct slice text;
	return files_read(x->tree.root_fd, path, META_BYTES_MAX, arena, &text, &ignored) &&
	       yaml_read(text, arena, &meta, &ignored) && slice_eq(json_text(meta, "name"), name);
}

/* Brings the experiment's own folder to where it belongs, and says whether runs may go there. */
static bool prepare(struct export *x, struct export_experiment *e,
		    const struct json_value *experiment, bool *usable_out, struct error *err)
{
	struct slice name = json_text(experiment, "name");
	const char *trash =
		arena_cstr(x->cli->arena, arena_printf(x->cli->arena, ".trash/%s", e->id));
	bool is_deleted = slice_eq_cstr(json_text(experiment, "lifecycle_stage"), "deleted");
	const char *elsewhere = is_deleted ? e->id : trash;
	e->folder = is_deleted ? trash : e->id;
	*usable_out = true;
	if (x->is_dry)
		return true;
	if (!export_tree_folder(&x->tree, ".trash", err) ||
	    (export_tree_state(&x->tree, elsewhere, "") == EXPORT_CHANGED &&
	     !export_tree_move(&x->tree, elsewhere, e->folder, err)))
		return false;
	if (export_tree_state(&x->tree, e->folder, "") == EXPORT_FOREIGN) {
		*usable_out = is_same_name(x, e->folder, name);
		import_report_add(&x->report, IMPORT_UNSUPPORTED, "experiment", name,
				  *usable_out ? "its description in the folder is of others and "
						"stays; runs are added"
					      : "the folder holds another one of its id");
		return true;
	}
	return write_experiment(x, e, experiment, err) &&
	       put_tags(x, e, json_tree_get(experiment, "tags"), err) &&
	       export_tree_mark(&x->tree, e->folder, err);
}

static bool take_experiment(struct export *x, void *context, const struct json_value *experiment,
			    struct error *err)
{
	struct journey *journey = context;
	struct export_experiment e = {
		.id = arena_cstr(x->cli->arena, json_text(experiment, "experiment_id"))};
	bool is_usable;
	if (!is_wanted(journey, json_text(experiment, "name")))
		return true;
	if (e.id[0] == '\0' || strspn(e.id, "0123456789") != strlen(e.id))
		return error_set(err, ERR_DATA_LOSS, "the server names an experiment by no number");
	journey->found_count++;
	if (!prepare(x, &e, experiment, &is_usable, err))
		return false;
	if (!is_usable)
		return true;
	x->report.counts.experiments++;
	return each_run(x, &e, err) && export_logged_models(x, &e, err) &&
	       tell_of_traces(x, &e, err);
}

static void write_all_experiments(struct json_writer *w, const void *context)
{
	(void)context;
	json_put_cstr(w, "view_type", "ALL");
}

static bool search_experiments(struct export *x,
			       bool (*item)(struct export *, void *, const struct json_value *,
					    struct error *),
			       void *context, struct error *err)
{
	const struct export_search search = {
		.path = "/api/2.0/mlflow/experiments/search",
		.items = "experiments",
		.page_items = PAGE_EXPERIMENTS,
		.write = write_all_experiments,
		.item = item,
		.context = context,
	};
	return export_search(x, &search, err);
}

static bool each_experiment(struct export *x, struct journey *journey, struct error *err)
{
	return search_experiments(x, take_experiment, journey, err);
}

/* ---- how much there is ----------------------------------------------------------------------- */

static bool count_run(struct export *x, void *context, const struct json_value *run,
		      struct error *err)
{
	(void)context, (void)run, (void)err;
	x->progress.total++;
	return true;
}

static bool count_experiment(struct export *x, void *context, const struct json_value *experiment,
			     struct error *err)
{
	struct export_experiment e = {
		.id = arena_cstr(x->cli->arena, json_text(experiment, "experiment_id"))};
	const struct export_search search = {
		.path = "/api/2.0/mlflow/runs/search",
		.items = "runs",
		.page_items = PAGE_COUNTED,
		.write = write_runs_of,
		.item = count_run,
		.context = &e,
	};
	return !is_wanted(context, json_text(experiment, "name")) || export_search(x, &search, err);
}

/* Only for the bar: a look at all runs is only taken where somebody sees it. */
static bool count_runs(struct export *x, const struct journey *journey, struct error *err)
{
	struct journey mine = *journey;
	progress_begin(&x->progress, x->cli, "exporting", 0);
	x->report.progress_or_null = &x->progress;
	x->progress.unit_or_null = "runs";
	return !x->progress.is_on || search_experiments(x, count_experiment, &mine, err);
}
