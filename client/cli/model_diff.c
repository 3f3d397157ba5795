/* Owns "trk models diff": what distinguishes two versions of a model. */
#include <stdio.h>

#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/table.h"

struct diff {
	struct cli *cli;
	const struct json_value *from, *to;
	struct table table;
};

static void add_row(struct diff *d, const char *kind, struct slice key, struct slice from,
		    struct slice to)
{
	table_styled_cell(&d->table, slice_from_cstr(kind), STYLE_DIM);
	table_cell(&d->table, key);
	table_cell(&d->table, from.len > 0 ? from : SLICE("-"));
	table_cell(&d->table, to.len > 0 ? to : SLICE("-"));
}

/* ---- what the versions are ------------------------------------------------------------------- */

static struct slice run_text(struct cli *cli, const struct json_value *version)
{
	struct slice id = json_text(version, "run_id"), name = json_text(version, "run_name");
	if (name.len == 0)
		return slice_first(id, 8);
	return arena_printf(cli->arena, "%.*s %.*s", SLICE_FMT(slice_first(id, 8)),
			    SLICE_FMT(name));
}

static struct slice files_text(struct cli *cli, const struct json_value *version)
{
	int64_t count = json_tree_i64(json_tree_get(version, "file_count"), 0);
	if (count == 0)
		return SLICE("");
	return arena_printf(
		cli->arena, "%.*s, %.*s", SLICE_FMT(format_count(cli->arena, count, "file")),
		SLICE_FMT(format_bytes(cli->arena,
				       json_tree_i64(json_tree_get(version, "byte_count"), 0))));
}

static struct slice created_text(struct cli *cli, const struct json_value *version)
{
	return format_time(cli->arena,
			   json_tree_i64(json_tree_get(version, "creation_time_ms"), 0));
}

static void add_versions(struct diff *d)
{
	add_row(d, "", SLICE("created"), created_text(d->cli, d->from),
		created_text(d->cli, d->to));
	add_row(d, "", SLICE("run"), run_text(d->cli, d->from), run_text(d->cli, d->to));
	add_row(d, "", SLICE("commit"), slice_first(json_text(d->from, "git_commit"), 12),
		slice_first(json_text(d->to, "git_commit"), 12));
	add_row(d, "", SLICE("size"), files_text(d->cli, d->from), files_text(d->cli, d->to));
}

/* ---- what differs ---------------------------------------------------------------------------- */

static bool is_there(const struct json_value *value_or_null)
{
	return value_or_null != NULL && value_or_null->kind != JSON_KIND_NULL;
}

static struct slice value_text(struct cli *cli, const struct json_value *value, bool is_metric)
{
	if (!is_there(value))
		return SLICE("");
	if (is_metric)
		return format_number(cli->arena, json_tree_double(value, 0));
	return value->text.len > 0 ? value->text : SLICE("\"\"");
}

static struct slice file_text(struct cli *cli, const struct json_value *file)
{
	if (!is_there(file))
		return SLICE("");
	return arena_printf(
		cli->arena, "%.*s %.*s", SLICE_FMT(slice_first(json_text(file, "sha256"), 8)),
		SLICE_FMT(format_bytes(cli->arena, json_tree_i64(json_tree_get(file, "size"), 0))));
}

static void add_part(struct diff *d, const struct json_value *reply, const char *member,
		     const char *kind)
{
	bool is_metric = strcmp(kind, "metric") == 0, is_file = strcmp(kind, "file") == 0;
	const struct json_value *item = json_items(json_tree_get(reply, member));
	for (; item != NULL; item = item->next_sibling_or_null) {
		const struct json_value *from = json_tree_get(item, "from");
		const struct json_value *to = json_tree_get(item, "to");
		struct slice context = json_text(item, "context");
		struct slice key = json_text(item, is_file ? "path" : "key");
		if (context.len > 0)
			key = arena_printf(d->cli->arena, "%.*s (%.*s)", SLICE_FMT(key),
					   SLICE_FMT(context));
		add_row(d, kind, key,
			is_file ? file_text(d->cli, from) : value_text(d->cli, from, is_metric),
			is_file ? file_text(d->cli, to) : value_text(d->cli, to, is_metric));
	}
}

static size_t add_differences(struct diff *d, const struct json_value *reply)
{
	static const char *const parts[][2] = {{"params", "param"},
					       {"metrics", "metric"},
					       {"datasets", "dataset"},
					       {"tags", "tag"},
					       {"files", "file"}};
	size_t before = d->table.cell_count;
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++)
		add_part(d, reply, parts[i][0], parts[i][1]);
	return d->table.cell_count - before;
}

static struct slice title_of(struct cli *cli, const struct json_value *version)
{
	struct slice text = arena_concat(cli->arena, SLICE("v"), json_text(version, "version"));
	const struct json_value *alias = json_items(json_tree_get(version, "aliases"));
	for (; alias != NULL; alias = alias->next_sibling_or_null)
		text = arena_printf(cli->arena, "%.*s @%.*s", SLICE_FMT(text),
				    SLICE_FMT(alias->text));
	return text;
}

bool models_diff(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct diff d = {.cli = cli};
	if (!cli_get(cli, &reply, err, "/api/trackerd/v1/models/%s/diff?from=%s&to=%s",
		     cli_encode(cli, slice_from_cstr(cli_word(cli, 0))),
		     cli_encode(cli, slice_from_cstr(cli_word(cli, 1))),
		     cli_encode(cli, slice_from_cstr(cli_word(cli, 2)))))
		return false;
	if (cli->json)
		return cli_print_reply(cli, reply, err);
	d.from = json_tree_get(reply, "from");
	d.to = json_tree_get(reply, "to");
	table_init(&d.table, cli->arena);
	table_column(&d.table, SLICE(""), TABLE_WHOLE);
	table_column(&d.table, SLICE("NAME"), 0);
	table_column(&d.table, title_of(cli, d.from), 0);
	table_column(&d.table, title_of(cli, d.to), 0);
	add_versions(&d);
	size_t differences = add_differences(&d, reply);
	(void)table_print(&d.table, stdout, 0); /* no column may be left out */
	if (differences == 0)
		cli_say(cli, "The versions do not differ.");
	return true;
}
