/* Owns "trk log": recording runs from shell scripts, one request at a time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/run_view.h"
#include "cli/upload.h"

enum { PAIRS_AT_ONCE = 100 /* of one log-batch, which takes so many parameters or tags */ };

static const char *environment(const char *name)
{
	const char *value = getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
	return value == NULL || value[0] == '\0' ? NULL : value;
}

/* ---- run-start ------------------------------------------------------------------------------- */

static bool find_or_create_experiment(struct cli *cli, const char *name, struct slice *id,
				      struct error *err)
{
	struct experiment_ref ref;
	struct json_value *reply;
	if (lookup_experiment(cli, name, &ref, err)) {
		*id = ref.id;
		return true;
	}
	if (err->code != ERR_RESOURCE_DOES_NOT_EXIST)
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "name", name);
	json_object_end(w);
	if (cli_send(cli, "POST", "/api/2.0/mlflow/experiments/create", &reply, err)) {
		*id = json_text(reply, "experiment_id");
		return true;
	}
	/* Another script may have made it meanwhile. */
	if (err->code != ERR_RESOURCE_ALREADY_EXISTS || !lookup_experiment(cli, name, &ref, err))
		return false;
	*id = ref.id;
	return true;
}

static void put_pair(struct json_writer *w, struct slice key, struct slice value)
{
	json_object_begin(w);
	json_put_string(w, "key", key);
	json_put_string(w, "value", value);
	json_object_end(w);
}

/* "KEY=VALUE"; the key is not empty. */
static bool split_pair(struct cli *cli, const char *text, struct slice *key, struct slice *value,
		       struct error *err)
{
	*value = slice_from_cstr(text);
	(void)slice_next(value, '=', key); /* there is one, at least "" */
	if (slice_is_present(*value) && key->len > 0)
		return true;
	return cli_fail_usage(cli, err, "\"%s\" is not of the form KEY=VALUE", text);
}

static bool put_tags(struct cli *cli, struct json_writer *w, struct slice parent_or_absent,
		     struct error *err)
{
	const char *tag;
	struct slice key, value;
	size_t index = 0;
	json_key(w, "tags");
	json_array_begin(w);
	put_pair(w, SLICE("mlflow.user"), slice_from_cstr(cli_user()));
	put_pair(w, SLICE("mlflow.source.type"), SLICE("LOCAL"));
	put_pair(w, SLICE("mlflow.source.name"), SLICE("trk log"));
	if (slice_is_present(parent_or_absent))
		put_pair(w, SLICE("mlflow.parentRunId"), parent_or_absent);
	while ((tag = arguments_next(&cli->arguments, "tag", &index)) != NULL) {
		if (!split_pair(cli, tag, &key, &value, err))
			return false;
		put_pair(w, key, value);
	}
	json_array_end(w);
	return true;
}

bool log_run_start(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct slice experiment_id, parent = {0};
	const char *experiment = cli_option(cli, "experiment", environment("TRK_EXPERIMENT"));
	if (experiment == NULL)
		experiment = environment("MLFLOW_EXPERIMENT_NAME");
	if (cli_flag(cli, "parent") &&
	    !lookup_run(cli, cli_option(cli, "parent", ""), &parent, err))
		return false;
	if (!find_or_create_experiment(cli, experiment != NULL ? experiment : "Default",
				       &experiment_id, err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "experiment_id", experiment_id);
	json_put_cstr(w, "run_name", cli_option(cli, "name", NULL));
	json_put_cstr(w, "user_id", cli_user());
	json_put_int(w, "start_time", clock_wall_ms(clock_system()));
	if (!put_tags(cli, w, parent, err))
		return false;
	json_object_end(w);
	if (!cli_send(cli, "POST", "/api/2.0/mlflow/runs/create", &reply, err))
		return false;
	const struct json_value *run = json_tree_get(reply, "run");
	if (!cli->json) {
		(void)printf("%.*s\n", SLICE_FMT(run_id_of(run)));
		return true;
	}
	w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id_of(run));
	json_put_string(w, "experiment_id", experiment_id);
	json_put_string(w, "run_name", run_info(run, "run_name"));
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* ---- which run ------------------------------------------------------------------------------- */

/* The run named, or that of the environment. */
static bool find_run(struct cli *cli, const char *text_or_null, struct slice *run_id,
		     struct error *err)
{
	const char *text = text_or_null != NULL ? text_or_null : environment("TRK_RUN_ID");
	if (text == NULL)
		return cli_fail_usage(cli, err, "name the run, or set TRK_RUN_ID");
	return lookup_run(cli, text, run_id, err);
}

static bool print_run_id(struct cli *cli, struct slice run_id, struct error *err)
{
	if (!cli->json)
		return true;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id);
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* ---- param, metric, tag ---------------------------------------------------------------------- */

struct batch {
	struct cli *cli;
	const char *list; /* the member of log-batch */
	struct slice run_id;
	bool is_metric;
	int64_t step, time_ms;
};

static bool put_item(const struct batch *b, struct json_writer *w, const char *text,
		     struct error *err)
{
	struct slice key, value;
	double number;
	if (!split_pair(b->cli, text, &key, &value, err))
		return false;
	if (!b->is_metric) {
		put_pair(w, key, value);
		return true;
	}
	if (!slice_parse_double(value, &number))
		return cli_fail_usage(
			b->cli, err, "\"%s\": a metric's value is a number, NaN or Infinity", text);
	json_object_begin(w);
	json_put_string(w, "key", key);
	json_put_double(w, "value", number);
	json_put_int(w, "timestamp", b->time_ms);
	json_put_int(w, "step", b->step);
	json_object_end(w);
	return true;
}

static bool send_batch(const struct batch *b, size_t from, size_t to, struct error *err)
{
	struct json_value *reply;
	struct json_writer *w = cli_begin_json(b->cli);
	json_object_begin(w);
	json_put_string(w, "run_id", b->run_id);
	json_key(w, b->list);
	json_array_begin(w);
	for (size_t i = from; i < to; i++) {
		if (!put_item(b, w, cli_word(b->cli, i), err))
			return false;
	}
	json_array_end(w);
	json_object_end(w);
	return cli_send(b->cli, "POST", "/api/2.0/mlflow/runs/log-batch", &reply, err);
}

static bool log_pairs(struct batch *b, struct error *err)
{
	struct cli *cli = b->cli;
	size_t count = cli->arguments.word_count;
	bool has_run = strchr(cli_word(cli, 0), '=') == NULL;
	struct slice key, value;
	if (has_run && count == 1)
		return cli_fail_usage(cli, err, "nothing to log: give KEY=VALUE");
	for (size_t i = has_run; i < count;
	     i++) { /* all or nothing, as far as it can be seen here */
		if (!split_pair(cli, cli_word(cli, i), &key, &value, err))
			return false;
	}
	if (!find_run(cli, has_run ? cli_word(cli, 0) : NULL, &b->run_id, err))
		return false;
	for (size_t from = has_run; from < count; from += PAIRS_AT_ONCE) {
		size_t to = count - from > PAIRS_AT_ONCE ? from + PAIRS_AT_ONCE : count;
		if (!send_batch(b, from, to, err))
			return false;
	}
	return print_run_id(cli, b->run_id, err);
}

bool log_param(struct cli *cli, struct error *err)
{
	struct batch b = {.cli = cli, .list = "params"};
	return log_pairs(&b, err);
}

bool log_tag(struct cli *cli, struct error *err)
{
	struct batch b = {.cli = cli, .list = "tags"};
	return log_pairs(&b, err);
}

bool log_metric(struct cli *cli, struct error *err)
{
	struct batch b = {.cli = cli, .list = "metrics", .is_metric = true};
	return cli_number(cli, "step", INT64_MIN, 0, &b.step, err) &&
	       cli_number(cli, "time", 0, clock_wall_ms(clock_system()), &b.time_ms, err) &&
	       log_pairs(&b, err);
}

/* ---- artifact, run-end ----------------------------------------------------------------------- */

bool log_artifact(struct cli *cli, struct error *err)
{
	struct slice run_id = {0};
	bool has_run = cli->arguments.word_count == 2;
	if (!find_run(cli, has_run ? cli_word(cli, 0) : NULL, &run_id, err))
		return false;
	return upload_and_print(cli, arena_cstr(cli->arena, run_id), cli_word(cli, has_run),
				cli_option(cli, "path", NULL), err);
}

bool log_run_end(struct cli *cli, struct error *err)
{
	struct json_value *reply;
	struct slice run_id = {0};
	if (!find_run(cli, cli_word(cli, 0), &run_id, err))
		return false;
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id);
	json_put_cstr(w, "status", cli_option(cli, "status", "FINISHED"));
	json_put_int(w, "end_time", clock_wall_ms(clock_system()));
	json_object_end(w);
	return cli_send(cli, "POST", "/api/2.0/mlflow/runs/update", &reply, err) &&
	       print_run_id(cli, run_id, err);
}
