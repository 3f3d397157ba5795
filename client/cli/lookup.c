/* Owns the way from names and beginnings of ids to ids. */
#include "cli/lookup.h"

#include <stdio.h>

#include "cli/run_view.h"
#include "src/artifact_uri.h"

static bool is_hex(const char *text)
{
	return strspn(text, "0123456789abcdef") == strlen(text);
}

static void take_experiment(const struct json_value *reply, struct experiment_ref *out)
{
	const struct json_value *experiment = json_tree_get(reply, "experiment");
	out->id = json_text(experiment, "experiment_id");
	out->name = json_text(experiment, "name");
}

bool lookup_experiment(struct cli *cli, const char *name_or_id, struct experiment_ref *out,
		       struct error *err)
{
	struct json_value *reply;
	struct error ignored;
	const char *encoded = cli_encode(cli, slice_from_cstr(name_or_id));
	bool found = cli_get(cli, &reply, err,
			     "/api/2.0/mlflow/experiments/get-by-name?experiment_name=%s", encoded);
	bool may_be_id =
		name_or_id[0] != '\0' && strspn(name_or_id, "0123456789") == strlen(name_or_id);
	if (!found && err->code == ERR_RESOURCE_DOES_NOT_EXIST && may_be_id)
		found = cli_get(cli, &reply, &ignored,
				"/api/2.0/mlflow/experiments/get?experiment_id=%s", encoded);
	if (found)
		take_experiment(reply, out);
	return found;
}

bool lookup_experiment_ids(struct cli *cli, bool with_deleted, struct slice *json_out,
			   struct error *err)
{
	struct json_writer ids;
	struct buffer text;
	struct slice token = SLICE("");
	bool ok = true;
	buffer_init(&text, 64 * 1024 * 1024);
	json_writer_init(&ids, &text);
	json_array_begin(&ids);
	do {
		struct json_value *reply;
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_put_cstr(w, "view_type", with_deleted ? "ALL" : "ACTIVE_ONLY");
		json_put_int(w, "max_results", 10000);
		if (token.len > 0)
			json_put_string(w, "page_token", token);
		json_object_end(w);
		ok = cli_send(cli, "POST", "/api/2.0/mlflow/experiments/search", &reply, err);
		if (!ok)
			break;
		const struct json_value *e = json_items(json_tree_get(reply, "experiments"));
		for (; e != NULL; e = e->next_sibling_or_null)
			json_string(&ids, json_text(e, "experiment_id"));
		token = json_text(reply, "next_page_token");
	} while (token.len > 0);
	if (ok) {
		json_array_end(&ids);
		ok = buffer_check(&text, "the list of experiments", err);
	}
	if (ok)
		*json_out = arena_copy(cli->arena, buffer_slice(&text));
	buffer_deinit(&text);
	return ok;
}

static bool search_prefix(struct cli *cli, const char *prefix, struct json_value **reply,
			  struct error *err)
{
	struct slice ids;
	if (!lookup_experiment_ids(cli, true, &ids, err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_key(w, "experiment_ids");
	json_raw(w, ids);
	json_put_string(w, "filter",
			arena_printf(cli->arena, "attributes.run_id LIKE '%s%%'", prefix));
	json_put_cstr(w, "run_view_type", "ALL");
	json_put_int(w, "max_results", 4);
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/runs/search", reply, err);
}

static bool fail_ambiguous(const char *prefix, const struct json_value *runs, struct error *err)
{
	char text[256] = "";
	size_t len = 0;
	const struct json_value *run = json_items(runs);
	for (; run != NULL && len < sizeof(text); run = run->next_sibling_or_null)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s",
					len > 0 ? ", " : "", SLICE_FMT(run_id_of(run)));
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "more than one run begins with \"%s\": %s", prefix, text);
}

bool lookup_run(struct cli *cli, const char *text, struct slice *run_id_out, struct error *err)
{
	struct json_value *reply;
	size_t len = strlen(text);
	char quoted[80];
	if (len == RUN_ID_LEN && is_hex(text)) {
		*run_id_out = slice_from_cstr(text);
		return true;
	}
	if (!is_hex(text) || len < RUN_PREFIX_MIN || len > RUN_ID_LEN)
		return cli_fail_usage(
			cli, err,
			"\"%s\" is no run: give its id, or at least the first %d of its digits",
			error_quote(slice_from_cstr(text), quoted, sizeof(quoted)), RUN_PREFIX_MIN);
	if (!search_prefix(cli, text, &reply, err))
		return false;
	const struct json_value *runs = json_tree_get(reply, "runs"), *run = json_items(runs);
	if (run == NULL)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "no run's id begins with \"%s\"",
				 text);
	if (run->next_sibling_or_null != NULL)
		return fail_ambiguous(text, runs, err);
	*run_id_out = run_id_of(run);
	return true;
}

static bool get_run(struct cli *cli, struct slice run_id, const struct json_value **out,
		    struct error *err)
{
	struct json_value *reply;
	if (!cli_get(cli, &reply, err, "/api/2.0/mlflow/runs/get?run_id=%s",
		     cli_encode(cli, run_id)))
		return false;
	*out = json_tree_get(reply, "run");
	return *out != NULL ||
	       error_set(err, ERR_INTERNAL_ERROR, "the server's reply holds no run");
}

bool lookup_run_entity(struct cli *cli, const char *id_or_prefix, const struct json_value **run_out,
		       struct error *err)
{
	struct slice run_id;
	return lookup_run(cli, id_or_prefix, &run_id, err) && get_run(cli, run_id, run_out, err);
}

bool lookup_artifact_root(struct cli *cli, struct slice run_id, struct slice *path_out,
			  struct error *err)
{
	const struct json_value *run;
	return get_run(cli, run_id, &run, err) &&
	       artifact_uri_path(
		       json_tree_string(json_tree_path(run, "info.artifact_uri"), SLICE("")),
		       path_out, err);
}
