/* Owns "trk models lineage": where a version comes from, and where it runs. */
#include <stdio.h>

#include "base/clock.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/model_ref.h"
#include "cli/run_view.h"
#include "cli/sections.h"
#include "cli/table.h"

struct lineage {
	struct cli *cli;
	const struct json_value *reply, *version, *run;
};

static int64_t member_i64(const struct json_value *object, const char *key)
{
	return json_tree_i64(json_tree_get(object, key), 0);
}

/* ---- the version and its run ----------------------------------------------------------------- */

static void print_head(const struct lineage *l)
{
	struct cli *cli = l->cli;
	const struct json_value *v = l->version;
	struct slice aliases = SLICE("");
	const struct json_value *alias = json_items(json_tree_get(v, "aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null)
		aliases = arena_printf(cli->arena, "%.*s%s%.*s", SLICE_FMT(aliases),
				       aliases.len > 0 ? ", " : "", SLICE_FMT(alias->text));
	struct slice title = arena_printf(cli->arena, "%.*s version %.*s",
					  SLICE_FMT(json_text(l->reply, "model")),
					  SLICE_FMT(json_text(v, "version")));
	terminal_print(stdout, cli->arena, STYLE_BOLD, title);
	(void)putchar('\n');
	section_field(cli, "aliases", aliases, STYLE_CYAN);
	section_field(cli, "created", format_time(cli->arena, member_i64(v, "creation_time_ms")),
		      STYLE_PLAIN);
	section_field(cli, "by", json_text(v, "user_id"), STYLE_PLAIN);
	section_field(cli, "source", json_text(v, "source"), STYLE_PLAIN);
	int64_t file_count = member_i64(v, "file_count");
	struct slice files = json_text(v, "no_files");
	if (file_count > 0)
		files = arena_printf(
			cli->arena, "%.*s, %.*s",
			SLICE_FMT(format_count(cli->arena, file_count, "file")),
			SLICE_FMT(format_bytes(cli->arena, member_i64(v, "byte_count"))));
	section_field(cli, "files", files, STYLE_PLAIN);
	section_field(cli, "tree", json_text(v, "tree_sha256"), STYLE_DIM);
}

static void print_run(const struct lineage *l)
{
	struct cli *cli = l->cli;
	if (json_text(l->version, "run_id").len == 0)
		return;
	section_title("Run");
	section_field(cli, "run", json_text(l->version, "run_id"), STYLE_CYAN);
	if (l->run == NULL || l->run->kind != JSON_KIND_OBJECT) {
		section_field(cli, "state", SLICE("not on this server"), STYLE_YELLOW);
		return;
	}
	section_field(cli, "name", run_info(l->run, "run_name"), STYLE_PLAIN);
	section_field(cli, "status", run_info(l->run, "status"),
		      run_status_style(run_info(l->run, "status")));
	if (slice_eq(run_info(l->run, "lifecycle_stage"), SLICE("deleted")))
		section_field(cli, "state", SLICE("deleted"), STYLE_RED);
	section_field(cli, "started", format_time(cli->arena, run_start_ms(l->run)), STYLE_PLAIN);
	section_field(
		cli, "duration",
		format_duration(cli->arena, run_duration_ms(l->run, clock_wall_ms(clock_system()))),
		STYLE_PLAIN);
	section_field(cli, "user", run_info(l->run, "user_id"), STYLE_PLAIN);
}

static void print_code(const struct lineage *l)
{
	static const char *const rows[][2] = {{"git_commit", "commit"},
					      {"git_repository", "repository"},
					      {"git_branch", "branch"},
					      {"source_name", "program"}};
	const struct json_value *code = json_tree_get(l->reply, "code");
	bool is_known = false;
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		is_known = is_known || json_text(code, rows[i][0]).len > 0;
	if (!is_known)
		return;
	section_title("Code");
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		section_field(l->cli, rows[i][1], json_text(code, rows[i][0]), STYLE_PLAIN);
}

/* ---- lists ----------------------------------------------------------------------------------- */

static void print_datasets(const struct lineage *l)
{
	struct table table;
	const struct json_value *item = json_items(json_tree_get(l->reply, "datasets"));
	if (item == NULL)
		return;
	section_title("Data");
	table_init(&table, l->cli->arena);
	table_column(&table, SLICE("NAME"), TABLE_WHOLE);
	table_column(&table, SLICE("FOR"), TABLE_WHOLE);
	table_column(&table, SLICE("DIGEST"), 0);
	table_column(&table, SLICE("SOURCE"), TABLE_OPTIONAL);
	for (; item != NULL; item = item->next_sibling_or_null) {
		table_cell(&table, json_text(item, "name"));
		table_cell(&table, json_text(item, "context"));
		table_cell(&table, json_text(item, "digest"));
		table_cell(&table, json_text(item, "source"));
	}
	(void)table_print(&table, stdout, 2); /* --json has all */
}

static void print_parents(const struct lineage *l)
{
	struct table table;
	struct slice missing = json_text(l->reply, "missing_parent");
	const struct json_value *item = json_items(json_tree_get(l->reply, "parents"));
	if (item == NULL && missing.len == 0)
		return;
	section_title("Pipeline");
	table_init(&table, l->cli->arena);
	table_column(&table, SLICE("RUN"), TABLE_ID);
	table_column(&table, SLICE("NAME"), 0);
	table_column(&table, SLICE("STATUS"), TABLE_WHOLE);
	table_column(&table, SLICE("USER"), TABLE_OPTIONAL);
	table_column(&table, SLICE("STARTED"), TABLE_WHOLE | TABLE_OPTIONAL);
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct slice status = json_text(item, "status");
		table_styled_cell(&table, json_text(item, "run_id"), STYLE_CYAN);
		table_cell(&table, json_text(item, "run_name"));
		table_styled_cell(&table, status, run_status_style(status));
		table_cell(&table, json_text(item, "user_id"));
		table_cell(&table, format_time(l->cli->arena, member_i64(item, "start_time_ms")));
	}
	(void)table_print(&table, stdout, 2); /* --json has all */
	section_field(l->cli, "not here", missing, STYLE_YELLOW);
}

static void print_pairs(const struct lineage *l, const char *title, enum run_part part)
{
	struct table table;
	const struct json_value *item = json_items(run_list(l->run, part));
	if (item == NULL)
		return;
	section_title(title);
	table_init(&table, l->cli->arena);
	table_column(&table, SLICE("NAME"), TABLE_WHOLE);
	table_column(&table, SLICE("VALUE"), 0);
	for (; item != NULL; item = item->next_sibling_or_null) {
		const struct json_value *value = json_tree_get(item, "value");
		table_cell(&table, json_text(item, "key"));
		table_cell(&table, part == RUN_METRICS ? format_number(l->cli->arena,
								       json_tree_double(value, 0))
						       : json_text(item, "value"));
	}
	(void)table_print(&table, stdout, 2); /* no column may be left out */
}

static void print_logged_model(const struct lineage *l)
{
	const struct json_value *info = json_tree_path(l->reply, "logged_model.info");
	if (info == NULL)
		return;
	section_title("Logged model");
	section_field(l->cli, "id", json_text(info, "model_id"), STYLE_CYAN);
	section_field(l->cli, "name", json_text(info, "name"), STYLE_PLAIN);
	section_field(l->cli, "type", json_text(info, "model_type"), STYLE_PLAIN);
}

static void print_deployments(const struct lineage *l)
{
	struct table table;
	const struct json_value *item = json_items(json_tree_get(l->reply, "deployments"));
	if (item == NULL)
		return;
	section_title("Deployments");
	table_init(&table, l->cli->arena);
	table_column(&table, SLICE("TARGET"), TABLE_WHOLE);
	table_column(&table, SLICE("ENV"), TABLE_WHOLE);
	table_column(&table, SLICE("STATE"), TABLE_WHOLE);
	table_column(&table, SLICE("SINCE"), TABLE_WHOLE | TABLE_OPTIONAL);
	table_column(&table, SLICE("HOST"), TABLE_OPTIONAL);
	table_column(&table, SLICE("PATH"), TABLE_OPTIONAL);
	for (; item != NULL; item = item->next_sibling_or_null) {
		table_cell(&table, json_text(item, "target"));
		table_cell(&table, json_text(item, "environment"));
		table_cell(&table, json_text(item, "state"));
		table_cell(&table, format_age(l->cli->arena, member_i64(item, "since_ms"),
					      clock_wall_ms(clock_system())));
		table_cell(&table, json_text(item, "host"));
		table_cell(&table, json_text(item, "path"));
	}
	(void)table_print(&table, stdout, 2); /* --json has all */
}

/* ---- the command ----------------------------------------------------------------------------- */

static bool fetch(struct cli *cli, struct json_value **reply, struct error *err)
{
	struct slice name, alias;
	if (cli->arguments.word_count == 2)
		return cli_get(cli, reply, err, "/api/trackerd/v1/models/%s/lineage?version=%s",
			       cli_encode(cli, slice_from_cstr(cli_word(cli, 0))),
			       cli_encode(cli, slice_from_cstr(cli_word(cli, 1))));
	return model_ref_split_alias(cli, cli_word(cli, 0), &name, &alias, err) &&
	       cli_get(cli, reply, err, "/api/trackerd/v1/models/%s/lineage?alias=%s",
		       cli_encode(cli, name), cli_encode(cli, alias));
}

bool models_lineage(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	if (!fetch(cli, &reply, err))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	const struct lineage l = {.cli = cli,
				  .reply = reply,
				  .version = json_tree_get(reply, "version"),
				  .run = json_tree_get(reply, "run")};
	print_head(&l);
	print_run(&l);
	print_parents(&l);
	print_code(&l);
	print_datasets(&l);
	print_pairs(&l, "Parameters", RUN_PARAMS);
	print_pairs(&l, "Metrics", RUN_METRICS);
	print_logged_model(&l);
	print_deployments(&l);
	return true;
}
