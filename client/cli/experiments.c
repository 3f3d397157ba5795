/* Owns "trk experiments". */
#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/table.h"

static int64_t member_i64(const struct json_value *object, const char *key)
{
	return json_tree_i64(json_tree_get(object, key), 0);
}

static void experiment_json(struct json_writer *w, const struct json_value *e)
{
	static const char *const texts[] = {"experiment_id", "name", "lifecycle_stage",
					    "artifact_location"};
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		json_put_string(w, texts[i], json_text(e, texts[i]));
	json_put_int(w, "creation_time", member_i64(e, "creation_time"));
	json_put_int(w, "last_update_time", member_i64(e, "last_update_time"));
	json_key(w, "tags");
	json_object_begin(w);
	const struct json_value *tag = json_items(json_tree_get(e, "tags"));
	for (; tag != NULL; tag = tag->next_sibling_or_null) {
		json_key_slice(w, json_text(tag, "key"));
		json_string(w, json_text(tag, "value"));
	}
	json_object_end(w);
	json_object_end(w);
}

/* ---- list ------------------------------------------------------------------------------------ */

enum { PAGE_EXPERIMENTS = 10000 };

static bool fetch_page(struct cli *cli, struct slice token, struct json_value **reply,
		       struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "view_type", cli_flag(cli, "deleted") ? "DELETED_ONLY" : "ACTIVE_ONLY");
	json_put_cstr(w, "filter", cli_option(cli, "filter", NULL));
	json_put_int(w, "max_results", PAGE_EXPERIMENTS);
	if (token.len > 0)
		json_put_string(w, "page_token", token);
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/experiments/search", reply, err);
}

/* All pages, as one array of experiments. */
static bool fetch_all(struct cli *cli, const struct json_value ***out, size_t *count,
		      struct error *err)
{
	const struct json_value **items = NULL;
	struct slice token = SLICE("");
	*count = 0;
	do {
		struct json_value *reply;
		if (!fetch_page(cli, token, &reply, err))
			return false;
		const struct json_value *list = json_tree_get(reply, "experiments"),
					*e = json_items(list);
		const struct json_value **more =
			ARENA_NEW(cli->arena, const struct json_value *,
				  *count + (list == NULL ? 0 : list->child_count) + 1);
		if (*count > 0)
			memcpy(more, items, *count * sizeof(*more));
		items = more;
		for (; e != NULL; e = e->next_sibling_or_null)
			items[(*count)++] = e;
		token = json_text(reply, "next_page_token");
	} while (token.len > 0);
	*out = items;
	return true;
}

static void print_table(struct cli *cli, const struct json_value **items, size_t count)
{
	struct table table;
	int64_t now_ms = clock_wall_ms(clock_system());
	table_init(&table, cli->arena);
	table_column(&table, SLICE("ID"), TABLE_RIGHT | TABLE_WHOLE);
	table_column(&table, SLICE("NAME"), 0);
	table_column(&table, SLICE("CREATED"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("UPDATED"), TABLE_WHOLE | TABLE_OPTIONAL);
	for (size_t i = 0; i < count; i++) {
		table_cell(&table, json_text(items[i], "experiment_id"));
		table_styled_cell(&table, json_text(items[i], "name"), STYLE_BOLD);
		table_cell(&table,
			   format_age(cli->arena, member_i64(items[i], "creation_time"), now_ms));
		table_cell(&table, format_age(cli->arena, member_i64(items[i], "last_update_time"),
					      now_ms));
	}
	(void)table_print(&table, stdout, 0); /* --json has all */
}

bool experiments_list(struct cli *cli, struct error *err)
{
	const struct json_value **items;
	size_t count;
	if (!fetch_all(cli, &items, &count, err))
		return false;
	if (cli->json) {
		struct json_writer *w = cli_begin_json(cli);
		json_object_begin(w);
		json_key(w, "experiments");
		json_array_begin(w);
		for (size_t i = 0; i < count; i++)
			experiment_json(w, items[i]);
		json_array_end(w);
		json_object_end(w);
		return cli_print_json(cli, err);
	}
	for (size_t i = 0; cli->quiet && i < count; i++)
		cli_print_line(cli, json_text(items[i], "name"));
	if (!cli->quiet)
		print_table(cli, items, count);
	if (count == 0)
		cli_say(cli, "No experiments.");
	return true;
}

/* ---- create, show ---------------------------------------------------------------------------- */

bool experiments_create(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(cli);
	size_t index = 0;
	const char *tag;
	json_object_begin(w);
	json_put_cstr(w, "name", cli_word(cli, 0));
	json_key(w, "tags");
	json_array_begin(w);
	while ((tag = arguments_next(&cli->arguments, "tag", &index)) != NULL) {
		struct slice value = slice_from_cstr(tag), key;
		if (!slice_next(&value, '=', &key) || !slice_is_present(value))
			return cli_fail_usage(cli, err, "--tag takes KEY=VALUE, not \"%s\"", tag);
		json_object_begin(w);
		json_put_string(w, "key", key);
		json_put_string(w, "value", value);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	if (!cli_send(cli, "POST", "/api/2.0/mlflow/experiments/create", &reply, err))
		return false;
	if (!cli->json) {
		(void)printf("%.*s\n", SLICE_FMT(json_text(reply, "experiment_id")));
		return true;
	}
	w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "experiment_id", json_text(reply, "experiment_id"));
	json_put_cstr(w, "name", cli_word(cli, 0));
	json_object_end(w);
	return cli_print_json(cli, err);
}

static void print_field(struct cli *cli, const char *name, struct slice value)
{
	(void)printf("  %-10s  ", name);
	cli_print_line(cli, value);
}

bool experiments_show(struct cli *cli, struct error *err)
{
	struct experiment_ref ref;
	struct json_value *reply;
	if (!lookup_experiment(cli, cli_word(cli, 0), &ref, err) ||
	    !cli_get(cli, &reply, err, "/api/2.0/mlflow/experiments/get?experiment_id=%s",
		     cli_encode(cli, ref.id)))
		return false;
	const struct json_value *e = json_tree_get(reply, "experiment");
	if (cli->json) {
		experiment_json(cli_begin_json(cli), e);
		return cli_print_json(cli, err);
	}
	terminal_print(stdout, cli->arena, STYLE_BOLD, ref.name);
	(void)putchar('\n');
	print_field(cli, "id", ref.id);
	print_field(cli, "state", json_text(e, "lifecycle_stage"));
	print_field(cli, "created", format_time(cli->arena, member_i64(e, "creation_time")));
	print_field(cli, "updated", format_time(cli->arena, member_i64(e, "last_update_time")));
	print_field(cli, "artifacts", json_text(e, "artifact_location"));
	const struct json_value *tag = json_items(json_tree_get(e, "tags"));
	for (; tag != NULL; tag = tag->next_sibling_or_null)
		print_field(
			cli,
			arena_cstr(cli->arena, terminal_clean(cli->arena, json_text(tag, "key"))),
			json_text(tag, "value"));
	return true;
}

/* ---- rename, delete, restore ----------------------------------------------------------------- */

/* Posts the experiment's id, and a new name if there is one. */
static bool change(struct cli *cli, const char *path, const char *new_name_or_null,
		   const char *past, struct error *err)
{
	struct experiment_ref ref;
	struct json_value *reply;
	if (!lookup_experiment(cli, cli_word(cli, 0), &ref, err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "experiment_id", ref.id);
	json_put_cstr(w, "new_name", new_name_or_null);
	if (cli_flag(cli, "force"))
		json_put_bool(w, "force", true);
	json_object_end(w);
	if (!cli_send(cli, "POST", path, &reply, err))
		return false;
	struct slice name = new_name_or_null != NULL ? slice_from_cstr(new_name_or_null) : ref.name;
	cli_say(cli, "Experiment %.*s \"%.*s\" is %s.", SLICE_FMT(ref.id), SLICE_FMT(name), past);
	if (!cli->json)
		return true;
	w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "experiment_id", ref.id);
	json_put_string(w, "name", name);
	json_object_end(w);
	return cli_print_json(cli, err);
}

bool experiments_rename(struct cli *cli, struct error *err)
{
	return change(cli, "/api/2.0/mlflow/experiments/update", cli_word(cli, 1), "renamed", err);
}

bool experiments_delete(struct cli *cli, struct error *err)
{
	return change(cli, "/api/2.0/mlflow/experiments/delete", NULL,
		      "deleted; \"trk experiments restore\" brings it back", err);
}

bool experiments_restore(struct cli *cli, struct error *err)
{
	return change(cli, "/api/2.0/mlflow/experiments/restore", NULL, "restored", err);
}
