/* Owns the reading of runs for people and for scripts. */
#include "cli/run_view.h"

#include "cli/format.h"

struct slice run_info(const struct json_value *run, const char *key)
{
	return json_text(json_tree_get(run, "info"), key);
}

struct slice run_id_of(const struct json_value *run)
{
	return run_info(run, "run_id");
}

static int64_t info_i64(const struct json_value *run, const char *key)
{
	return json_tree_i64(json_tree_get(json_tree_get(run, "info"), key), 0);
}

int64_t run_start_ms(const struct json_value *run)
{
	return info_i64(run, "start_time");
}

int64_t run_duration_ms(const struct json_value *run, int64_t now_ms)
{
	int64_t start_ms = run_start_ms(run), end_ms = info_i64(run, "end_time");
	bool is_running = slice_eq(run_info(run, "status"), SLICE("RUNNING"));
	if (start_ms == 0 || (end_ms == 0 && !is_running))
		return -1;
	return (end_ms != 0 ? end_ms : now_ms) - start_ms;
}

enum terminal_style run_status_style(struct slice status)
{
	if (slice_eq(status, SLICE("FINISHED")))
		return STYLE_GREEN;
	if (slice_eq(status, SLICE("RUNNING")) || slice_eq(status, SLICE("SCHEDULED")))
		return STYLE_CYAN;
	return slice_eq(status, SLICE("FAILED")) ? STYLE_RED : STYLE_YELLOW;
}

const struct json_value *run_list(const struct json_value *run, enum run_part part)
{
	static const char *const names[] = {
		[RUN_METRICS] = "metrics", [RUN_PARAMS] = "params", [RUN_TAGS] = "tags"};
	return json_tree_get(json_tree_get(run, "data"), names[part]);
}

const struct json_value *run_find(const struct json_value *run, enum run_part part,
				  struct slice key)
{
	const struct json_value *item = json_items(run_list(run, part));
	while (item != NULL && !slice_eq(json_text(item, "key"), key))
		item = item->next_sibling_or_null;
	return item;
}

bool run_tag_is_automatic(struct slice key)
{
	return slice_starts_with(key, SLICE("mlflow.")) || slice_starts_with(key, SLICE("trk."));
}

/* ---- columns --------------------------------------------------------------------------------- */

static struct slice start_text(struct cli *cli, const struct json_value *run, int64_t now_ms)
{
	return format_age(cli->arena, run_start_ms(run), now_ms);
}

static struct slice end_text(struct cli *cli, const struct json_value *run, int64_t now_ms)
{
	return format_age(cli->arena, info_i64(run, "end_time"), now_ms);
}

static struct slice duration_text(struct cli *cli, const struct json_value *run, int64_t now_ms)
{
	return format_duration(cli->arena, run_duration_ms(run, now_ms));
}

// clang-format off
static const struct {
	const char *name;
	const char *member_or_null; /* of the run's info */
	struct slice (*text_or_null)(struct cli *cli, const struct json_value *run, int64_t now_ms);
} attributes[] = {
	{"run_id",          "run_id",          NULL},
	{"id",              "run_id",          NULL},
	{"run_name",        "run_name",        NULL},
	{"name",            "run_name",        NULL},
	{"status",          "status",          NULL},
	{"user",            "user_id",         NULL},
	{"user_id",         "user_id",         NULL},
	{"experiment_id",   "experiment_id",   NULL},
	{"lifecycle_stage", "lifecycle_stage", NULL},
	{"artifact_uri",    "artifact_uri",    NULL},
	{"start",           NULL,              start_text},
	{"start_time",      NULL,              start_text},
	{"end",             NULL,              end_text},
	{"end_time",        NULL,              end_text},
	{"duration",        NULL,              duration_text},
};

static const struct {
	struct slice prefix;
	enum run_part part;
} parts[] = {
	{{"metrics.", 8}, RUN_METRICS},
	{{"metric.", 7},  RUN_METRICS},
	{{"params.", 7},  RUN_PARAMS},
	{{"param.", 6},   RUN_PARAMS},
	{{"tags.", 5},    RUN_TAGS},
	{{"tag.", 4},     RUN_TAGS},
};
// clang-format on

bool run_column_is_attribute(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++) {
		if (slice_eq_cstr(name, attributes[i].name))
			return true;
	}
	return false;
}

static struct slice part_text(struct cli *cli, const struct json_value *run, enum run_part part,
			      struct slice key)
{
	const struct json_value *item = run_find(run, part, key);
	if (item == NULL)
		return (struct slice){0};
	if (part == RUN_METRICS)
		return format_number(cli->arena, json_tree_double(json_tree_get(item, "value"), 0));
	return json_text(item, "value");
}

struct slice run_column(struct cli *cli, const struct json_value *run, struct slice name,
			int64_t now_ms)
{
	struct slice text = {0};
	for (size_t i = 0; i < ARRAY_COUNT(attributes); i++) {
		if (!slice_eq_cstr(name, attributes[i].name))
			continue;
		return attributes[i].text_or_null != NULL
			       ? attributes[i].text_or_null(cli, run, now_ms)
			       : run_info(run, attributes[i].member_or_null);
	}
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		if (slice_starts_with(name, parts[i].prefix))
			return part_text(cli, run, parts[i].part,
					 slice_from(name, parts[i].prefix.len));
	}
	for (int part = RUN_METRICS; part <= RUN_TAGS && !slice_is_present(text); part++)
		text = part_text(cli, run, (enum run_part)part, name);
	return text;
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_part(struct json_writer *w, const struct json_value *run, enum run_part part,
		     const char *name)
{
	json_key(w, name);
	json_object_begin(w);
	const struct json_value *item = json_items(run_list(run, part));
	for (; item != NULL; item = item->next_sibling_or_null) {
		json_key_slice(w, json_text(item, "key"));
		if (part == RUN_METRICS)
			json_double(w, json_tree_double(json_tree_get(item, "value"), 0));
		else
			json_string(w, json_text(item, "value"));
	}
	json_object_end(w);
}

void run_json_open(struct json_writer *w, const struct json_value *run)
{
	static const char *const texts[] = {"run_id",	   "run_name",	      "experiment_id",
					    "status",	   "lifecycle_stage", "user_id",
					    "artifact_uri"};
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		json_put_string(w, texts[i], run_info(run, texts[i]));
	json_put_int(w, "start_time", run_start_ms(run));
	if (info_i64(run, "end_time") != 0)
		json_put_int(w, "end_time", info_i64(run, "end_time"));
	put_part(w, run, RUN_METRICS, "metrics");
	put_part(w, run, RUN_PARAMS, "params");
	put_part(w, run, RUN_TAGS, "tags");
}
