/* Owns "trk models" but for "get": registered models, their versions and aliases. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/model_history.h"
#include "cli/model_ref.h"
#include "cli/table.h"
#include "src/manifest.h"

/* ---- shared ---------------------------------------------------------------------------------- */

/* A model as trk prints it; left open for more members. */
static void model_json_open(struct json_writer *w, const struct json_value *model)
{
	json_object_begin(w);
	json_put_string(w, "name", json_text(model, "name"));
	json_put_string(w, "description", json_text(model, "description"));
	json_put_int(w, "creation_timestamp",
		     json_tree_i64(json_tree_get(model, "creation_timestamp"), 0));
	json_put_int(w, "last_updated_timestamp",
		     json_tree_i64(json_tree_get(model, "last_updated_timestamp"), 0));
	json_key(w, "aliases");
	json_object_begin(w);
	const struct json_value *alias = json_items(json_tree_get(model, "aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null) {
		json_key_slice(w, json_text(alias, "alias"));
		json_string(w, json_text(alias, "version"));
	}
	json_object_end(w);
}

/* "champion, newest": of one version, or of the model with its versions. */
static struct slice alias_list(struct cli *cli, const struct json_value *model,
			       struct slice version_or_absent)
{
	struct slice text = SLICE("");
	const struct json_value *alias = json_items(json_tree_get(model, "aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null) {
		bool is_all = !slice_is_present(version_or_absent);
		if (!is_all && !slice_eq(json_text(alias, "version"), version_or_absent))
			continue;
		text = arena_printf(cli->arena, "%.*s%s%.*s%s%.*s", SLICE_FMT(text),
				    text.len > 0 ? ", " : "", SLICE_FMT(json_text(alias, "alias")),
				    is_all ? " → v" : "",
				    SLICE_FMT(is_all ? json_text(alias, "version") : SLICE("")));
	}
	return text;
}

/* The highest version number of the versions that came with the model. */
static int64_t latest_version(const struct json_value *model)
{
	int64_t latest = 0;
	const struct json_value *version = json_items(json_tree_get(model, "latest_versions"));
	for (; version != NULL; version = version->next_sibling_or_null) {
		int64_t number = json_tree_i64(json_tree_get(version, "version"), 0);
		latest = number > latest ? number : latest;
	}
	return latest;
}

static bool get_model(struct cli *cli, const char *name, const struct json_value **model,
		      struct error *err)
{
	struct json_value *reply;
	if (!cli_get(cli, &reply, err, "/api/2.0/mlflow/registered-models/get?name=%s",
		     cli_encode(cli, slice_from_cstr(name))))
		return false;
	*model = json_tree_get(reply, "registered_model");
	return true;
}

/* ---- create, list ---------------------------------------------------------------------------- */

bool models_create(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", cli_word(cli, 0));
	json_put_cstr(w, "description", cli_option(cli, "description", NULL));
	json_object_end(w);
	if (!cli_send(cli, "POST", "/api/2.0/mlflow/registered-models/create", &reply, err))
		return false;
	if (!cli->json) {
		(void)puts(cli_word(cli, 0));
		return true;
	}
	w = cli_begin_json(cli);
	model_json_open(w, json_tree_get(reply, "registered_model"));
	json_object_end(w);
	return cli_print_json(cli, err);
}

static bool fetch_models(struct cli *cli, struct slice token, struct json_value **reply,
			 struct error *err)
{
	const char *filter = cli_option(cli, "filter", "");
	return cli_get(cli, reply, err,
		       "/api/2.0/mlflow/registered-models/search?max_results=1000%s%s%s%s",
		       filter[0] != '\0' ? "&filter=" : "",
		       cli_encode(cli, slice_from_cstr(filter)),
		       token.len > 0 ? "&page_token=" : "", cli_encode(cli, token));
}

static void add_model_row(struct cli *cli, struct table *table, const struct json_value *model)
{
	int64_t latest = latest_version(model);
	table_styled_cell(table, json_text(model, "name"), STYLE_BOLD);
	table_cell(table,
		   latest == 0 ? SLICE("-") : arena_printf(cli->arena, "%lld", (long long)latest));
	table_styled_cell(table, alias_list(cli, model, (struct slice){0}), STYLE_CYAN);
	table_cell(table,
		   format_age(cli->arena,
			      json_tree_i64(json_tree_get(model, "last_updated_timestamp"), 0),
			      clock_wall_ms(clock_system())));
	table_cell(table, json_text(model, "description"));
}

static bool print_models_json(struct cli *cli, const struct json_value **pages, size_t pages_count,
			      struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "models");
	json_array_begin(w);
	for (size_t i = 0; i < pages_count; i++) {
		const struct json_value *model =
			json_items(json_tree_get(pages[i], "registered_models"));
		for (; model != NULL; model = model->next_sibling_or_null) {
			model_json_open(w, model);
			if (latest_version(model) > 0)
				json_put_string(w, "latest_version",
						arena_printf(cli->arena, "%lld",
							     (long long)latest_version(model)));
			json_object_end(w);
		}
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(cli, err);
}

enum { PAGES_MAX = 1000 };

bool models_list(struct cli *cli, struct error *err)
{
	const struct json_value **pages =
		ARENA_NEW(cli->arena, const struct json_value *, PAGES_MAX);
	struct slice token = SLICE("");
	struct table table;
	size_t count = 0;
	do {
		struct json_value *reply;
		if (!fetch_models(cli, token, &reply, err))
			return false;
		pages[count++] = reply;
		token = json_text(reply, "next_page_token");
	} while (token.len > 0 && count < PAGES_MAX);
	if (cli->json)
		return print_models_json(cli, pages, count, err);
	table_init(&table, cli->arena);
	table_column(&table, SLICE("NAME"), TABLE_WHOLE);
	table_column(&table, SLICE("LATEST"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("ALIASES"), 0);
	table_column(&table, SLICE("UPDATED"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("DESCRIPTION"), TABLE_OPTIONAL);
	for (size_t i = 0; i < count; i++) {
		const struct json_value *model =
			json_items(json_tree_get(pages[i], "registered_models"));
		for (; model != NULL; model = model->next_sibling_or_null) {
			if (cli->quiet)
				cli_print_line(cli, json_text(model, "name"));
			else
				add_model_row(cli, &table, model);
		}
	}
	if (table.cell_count == 0)
		cli_say(cli, "No models.");
	(void)table_print(&table, stdout, 0); /* what is left out, "models show" tells */
	return true;
}

/* ---- show ------------------------------------------------------------------------------------ */

static bool fetch_versions(struct cli *cli, const char *name, const struct json_value **versions,
			   struct error *err)
{
	struct json_value *reply;
	struct slice quoted = slice_from_cstr(name);
	char quote = slice_find_byte(quoted, '\'', 0) < quoted.len ? '"' : '\'';
	struct slice filter = arena_printf(cli->arena, "name = %c%s%c", quote, name, quote);
	if (!cli_get(cli, &reply, err,
		     "/api/2.0/mlflow/model-versions/"
		     "search?max_results=10000&order_by=version_number%%20DESC"
		     "&filter=%s",
		     cli_encode(cli, filter)))
		return false;
	*versions = json_tree_get(reply, "model_versions");
	return true;
}

static void print_versions(struct cli *cli, const struct json_value *model,
			   const struct json_value *versions)
{
	struct table table;
	table_init(&table, cli->arena);
	table_column(&table, SLICE("VERSION"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("ALIASES"), 0);
	table_column(&table, SLICE("STAGE"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("CREATED"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("RUN"), TABLE_ID);
	table_column(&table, SLICE("TREE SHA-256"), TABLE_ID | TABLE_OPTIONAL);
	table_column(&table, SLICE("DESCRIPTION"), TABLE_OPTIONAL);
	for (const struct json_value *v = json_items(versions); v != NULL;
	     v = v->next_sibling_or_null) {
		table_cell(&table, json_text(v, "version"));
		table_styled_cell(&table, alias_list(cli, model, json_text(v, "version")),
				  STYLE_CYAN);
		table_cell(&table, model_stage_shown(json_text(v, "current_stage")));
		table_cell(&table,
			   format_age(cli->arena,
				      json_tree_i64(json_tree_get(v, "creation_timestamp"), 0),
				      clock_wall_ms(clock_system())));
		table_styled_cell(&table, json_text(v, "run_id"), STYLE_CYAN);
		table_styled_cell(&table, model_tag(v, MODEL_TREE_TAG), STYLE_DIM);
		table_cell(&table, json_text(v, "description"));
	}
	(void)table_print(&table, stdout, 0); /* --json has all */
}

static void print_version_numbers(struct cli *cli, const struct json_value *versions)
{
	const struct json_value *v = json_items(versions);
	for (; v != NULL; v = v->next_sibling_or_null)
		cli_print_line(cli, json_text(v, "version"));
}

bool models_show(struct cli *cli, struct error *err)
{
	const struct json_value *model, *versions;
	if (cli_option(cli, "at", NULL) != NULL)
		return model_history_show_at(cli, err);
	if (!get_model(cli, cli_word(cli, 0), &model, err) ||
	    !fetch_versions(cli, cli_word(cli, 0), &versions, err))
		return false;
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		model_json_open(w, model);
		json_key(w, "versions");
		json_array_begin(w);
		for (const struct json_value *v = json_items(versions); v != NULL;
		     v = v->next_sibling_or_null)
			model_version_json(w, v);
		json_array_end(w);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	if (cli->quiet) {
		print_version_numbers(cli, versions);
		return true;
	}
	terminal_print(stdout, cli->arena, STYLE_BOLD, json_text(model, "name"));
	(void)putchar('\n');
	if (json_text(model, "description").len > 0) {
		cli_print_line(cli, json_text(model, "description"));
	}
	(void)putchar('\n');
	print_versions(cli, model, versions);
	if (json_items(versions) == NULL)
		cli_say(cli, "No versions yet; \"trk models register\" makes one.");
	return true;
}

/* ---- register -------------------------------------------------------------------------------- */

/* Why, and only if nobody moved the alias since: as the command line says. */
static bool put_conditions(struct cli *cli, struct json_writer *w, struct error *err)
{
	struct api *api;
	int64_t revision;
	json_put_cstr(w, "reason", cli_option(cli, "reason", NULL));
	if (!cli_number(cli, "if-revision", 0, 0, &revision, err) || !cli_api(cli, &api, err))
		return false;
	api_if_match(api, cli_option(cli, "if-revision", NULL));
	return true;
}

static bool set_alias(struct cli *cli, const char *name, const char *alias, const char *version,
		      struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", name);
	json_put_cstr(w, "alias", alias);
	json_put_cstr(w, "version", version);
	if (!put_conditions(cli, w, err))
		return false;
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/registered-models/alias", &reply, err);
}

/* Makes the version; its tag holds the digest that "get" compares with. */
static bool create_version(struct cli *cli, struct slice run_id, struct slice source,
			   const char *tree_sha256, struct json_value **reply, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", cli_option(cli, "name", NULL));
	json_put_string(w, "source", source);
	json_put_string(w, "run_id", run_id);
	json_put_cstr(w, "description", cli_option(cli, "description", NULL));
	json_key(w, "tags");
	json_array_begin(w);
	json_object_begin(w);
	json_put_cstr(w, "key", MODEL_TREE_TAG);
	json_put_cstr(w, "value", tree_sha256);
	json_object_end(w);
	json_array_end(w);
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/model-versions/create", reply, err);
}

static bool print_registered(struct cli *cli, const struct json_value *version,
			     const char *alias_or_null, struct error *err)
{
	if (!cli->json) {
		(void)printf("%.*s/%.*s\n", SLICE_FMT(json_text(version, "name")),
			     SLICE_FMT(json_text(version, "version")));
		if (alias_or_null != NULL)
			cli_say(cli, "%.*s@%s is version %.*s now.",
				SLICE_FMT(json_text(version, "name")), alias_or_null,
				SLICE_FMT(json_text(version, "version")));
		return true;
	}
	struct json_writer *w = cli_begin_json(cli);
	model_version_json(w, version);
	return cli_print_json(cli, err);
}

bool models_register(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct manifest manifest;
	struct slice run_id, root, path = slice_from_cstr(cli_word(cli, 1));
	const char *name = cli_option(cli, "name", NULL), *alias = cli_option(cli, "alias", NULL);
	if (name == NULL)
		return cli_fail_usage(cli, err, "--name names the registered model");
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	if (!lookup_run(cli, cli_word(cli, 0), &run_id, err) ||
	    !lookup_artifact_root(cli, run_id, &root, err))
		return false;
	struct slice whole =
		path.len == 0 || slice_eq_cstr(path, ".")
			? root
			: arena_printf(cli->arena, "%.*s/%.*s", SLICE_FMT(root), SLICE_FMT(path));
	struct slice source = arena_printf(cli->arena, "mlflow-artifacts:/%.*s", SLICE_FMT(whole));
	if (!manifest_load(&cli->fetcher, cli->arena, whole, &manifest, err) ||
	    !create_version(cli, run_id, source, manifest.tree_sha256, &reply, err))
		return false;
	const struct json_value *version = json_tree_get(reply, "model_version");
	const char *number = arena_cstr(cli->arena, json_text(version, "version"));
	if (alias != NULL) {
		if (!set_alias(cli, name, alias, number, err))
			return error_prefix(err, "version %s is registered, but not its alias",
					    number);
		if (!cli_get(cli, &reply, err,
			     "/api/2.0/mlflow/model-versions/get?name=%s&version=%s",
			     cli_encode(cli, slice_from_cstr(name)), number))
			return false;
		version = json_tree_get(reply, "model_version");
	}
	return print_registered(cli, version, alias, err);
}

/* ---- alias, delete --------------------------------------------------------------------------- */

static bool print_done(struct cli *cli, const char *what, const char *name,
		       const char *alias_or_null, const char *version_or_null, struct error *err)
{
	if (!cli->json)
		return true;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", name);
	json_put_cstr(w, "alias", alias_or_null);
	json_put_cstr(w, "version", version_or_null);
	json_put_bool(w, what, true);
	json_object_end(w);
	return cli_print_json(cli, err);
}

bool models_alias(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	const char *name = cli_word(cli, 0), *alias = cli_word(cli, 1), *version = cli_word(cli, 2);
	if (cli_flag(cli, "delete") == (version != NULL))
		return cli_fail_usage(cli, err,
				      "give the version that the alias is to name, or --delete");
	if (version != NULL) {
		if (!set_alias(cli, name, alias, version, err))
			return false;
		cli_say(cli, "%s@%s is version %s now.", name, alias, version);
		return print_done(cli, "set", name, alias, version, err);
	}
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", name);
	json_put_cstr(w, "alias", alias);
	if (!put_conditions(cli, w, err))
		return false;
	json_object_end(w);
	if (!cli_send(cli, "DELETE", "/api/2.0/mlflow/registered-models/alias", &reply, err))
		return false;
	cli_say(cli, "%s@%s is gone.", name, alias);
	return print_done(cli, "deleted", name, alias, NULL, err);
}

bool models_delete(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	const char *name = cli_word(cli, 0), *version = NULL;
	const char *slash = strrchr(name, '/');
	if (slash != NULL && slash != name && slash[1] != '\0') {
		version = slash + 1;
		name = arena_cstr(cli->arena, slice_make(name, (size_t)(slash - name)));
	}
	const char *what =
		version != NULL
			? arena_cstr(cli->arena, arena_printf(cli->arena, "version %s of \"%s\"",
							      version, name))
			: arena_cstr(
				  cli->arena,
				  arena_printf(cli->arena, "\"%s\" with all its versions", name));
	if (!cli_confirm(
		    cli,
		    arena_cstr(cli->arena, arena_printf(cli->arena, "Delete %s for ever?", what)),
		    err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", name);
	json_put_cstr(w, "version", version);
	json_put_bool(w, "force", cli_flag(cli, "force"));
	json_object_end(w);
	if (!cli_send(cli, "DELETE",
		      version != NULL ? "/api/2.0/mlflow/model-versions/delete"
				      : "/api/2.0/mlflow/registered-models/delete",
		      &reply, err))
		return false;
	cli_say(cli, "Deleted %s.", what);
	return print_done(cli, "deleted", name, NULL, version, err);
}
