/* Owns the export of a run: whether it is there already, its description, its points. */
#include <unistd.h>

#include "cli/export.h"
#include "cli/lookup.h"
#include "cli/run_view.h"
#include "src/artifact_uri.h"

/* One reply holds at most this many points; the server gives no more than 25000. */
enum { PAGE_POINTS = 10000, LINE_BYTES_MAX = 128, LINES_BYTES_MAX = PAGE_POINTS * LINE_BYTES_MAX };

/* How MLflow numbers them. */
static const struct {
	const char *name;
	int number;
} statuses[] = {
	{"RUNNING", 1}, {"SCHEDULED", 2}, {"FINISHED", 3}, {"FAILED", 4}, {"KILLED", 5},
};

/* ---- is it there already? -------------------------------------------------------------------- */

/* Changes with anything that the export would write: the run as the server tells it, how many points
 * its curves have, its artifacts. */
static bool compute_digest(struct export *x, const struct json_value *run,
			   const struct export_artifacts *artifacts,
			   char digest[SHA256_HEX_LEN + 1], struct error *err)
{
	struct json_value *summary;
	struct sha256 h = {0};
	bool ok = cli_get(x->cli, &summary, err, "/api/trackerd/v1/metrics/summary?run_ids=%s",
			  cli_encode(x->cli, run_id_of(run))) &&
		  export_digest_begin(x, artifacts, &h, err) && sha256_update(&h, run->text, err) &&
		  sha256_update(&h, summary->text, err) && sha256_finish(&h, digest, err);
	sha256_deinit(&h);
	return ok;
}

/* ---- description ----------------------------------------------------------------------------- */

static int status_number(struct slice name)
{
	for (size_t i = 0; i < ARRAY_COUNT(statuses); i++) {
		if (slice_eq_cstr(name, statuses[i].name))
			return statuses[i].number;
	}
	return statuses[0].number;
}

static void put_time(struct yaml_writer *y, const char *key, const struct json_value *time_or_null)
{
	if (time_or_null == NULL)
		yaml_put_null(y, key);
	else
		yaml_put_int(y, key, json_tree_i64(time_or_null, 0));
}

static bool write_meta(struct export *x, const struct export_experiment *experiment,
		       const struct json_value *run, int run_fd, struct error *err)
{
	const struct json_value *info = json_tree_get(run, "info");
	struct yaml_writer *y = x->yaml;
	struct slice run_id = run_id_of(run);
	const char *home =
		arena_cstr(x->cli->arena, arena_printf(x->cli->arena, "%s/%.*s/artifacts",
						       experiment->id, SLICE_FMT(run_id)));
	yaml_writer_begin(y);
	yaml_put_string(y, "artifact_uri", export_uri(x, export_text(info, "artifact_uri"), home));
	put_time(y, "end_time", json_tree_get(info, "end_time"));
	yaml_put_string(y, "entry_point_name", SLICE(""));
	yaml_put_string(y, "experiment_id", slice_from_cstr(experiment->id));
	yaml_put_string(y, "lifecycle_stage", json_text(info, "lifecycle_stage"));
	yaml_put_string(y, "run_id", run_id);
	yaml_put_string(y, "run_name", export_text(info, "run_name"));
	yaml_put_string(y, "run_uuid", run_id);
	yaml_put_string(y, "source_name", SLICE(""));
	yaml_put_int(y, "source_type", 4); /* "local", which is what all runs say */
	yaml_put_string(y, "source_version", SLICE(""));
	put_time(y, "start_time", json_tree_get(info, "start_time"));
	yaml_put_int(y, "status", status_number(json_text(info, "status")));
	yaml_put_empty_list(y, "tags");
	yaml_put_string(y, "user_id", json_text(info, "user_id"));
	return export_meta(x, run_fd, err);
}

/* ---- points ---------------------------------------------------------------------------------- */

struct curve {
	int fd;
	struct buffer lines;
	struct slice key;
};

static bool write_lines(struct curve *c, struct error *err)
{
	bool ok = buffer_check(&c->lines, "a page of points", err) &&
		  export_write(c->fd, "metrics", buffer_slice(&c->lines), err);
	buffer_reset(&c->lines);
	return ok;
}

static bool take_point(struct export *x, void *context, const struct json_value *point,
		       struct error *err)
{
	struct curve *c = context;
	export_point(&c->lines, point);
	buffer_append_byte(&c->lines, '\n');
	x->report.counts.points++;
	return c->lines.len < LINES_BYTES_MAX - LINE_BYTES_MAX || write_lines(c, err);
}

static bool write_curve(struct export *x, struct slice run_id, struct curve *c, struct error *err)
{
	const struct export_search search = {
		.path = "/api/2.0/mlflow/metrics/get-history",
		.query_or_null = arena_cstr(x->cli->arena,
					    arena_printf(x->cli->arena, "run_id=%s&metric_key=%s",
							 cli_encode(x->cli, run_id),
							 cli_encode(x->cli, c->key))),
		.items = "metrics",
		.page_items = PAGE_POINTS,
		.item = take_point,
		.context = c,
	};
	buffer_init(&c->lines, LINES_BYTES_MAX);
	bool ok = export_search(x, &search, err) && write_lines(c, err);
	buffer_deinit(&c->lines);
	return ok;
}

static bool write_metric(struct export *x, struct slice run_id, const struct json_value *metric,
			 int metrics_fd, struct error *err)
{
	const char *fault;
	struct curve c = {.key = json_text(metric, "key")};
	c.fd = export_key_create(metrics_fd, c.key, &fault, err);
	if (c.fd < 0 && fault == NULL)
		return false;
	if (c.fd < 0) {
		export_leave_out(x, "metric", run_id, c.key, fault);
		return true;
	}
	bool ok = write_curve(x, run_id, &c, err);
	if (close(c.fd) != 0 && ok)
		ok = cli_fail_file(err, "write", "metrics");
	return ok;
}

static bool write_metrics(struct export *x, const struct json_value *run, int run_fd,
			  struct error *err)
{
	const struct json_value *metric = json_items(run_list(run, RUN_METRICS));
	int fd = export_folder_make(run_fd, "metrics", err);
	bool ok = fd >= 0;
	for (; metric != NULL && ok; metric = metric->next_sibling_or_null) {
		struct arena_mark mark = arena_mark(x->cli->arena);
		ok = write_metric(x, run_id_of(run), metric, fd, err);
		arena_rewind(x->cli->arena, mark);
	}
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return ok;
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool fill(struct export *x, const struct export_experiment *experiment,
		 const struct json_value *run, const struct export_artifacts *artifacts,
		 struct export_put *put, struct error *err)
{
	struct slice run_id = run_id_of(run);
	int fd = put->fd;
	return write_meta(x, experiment, run, fd, err) &&
	       export_pairs(x, EXPORT_TAGS(run_list(run, RUN_PARAMS)), fd, "params", "param",
			    run_id, err) &&
	       export_pairs(x, EXPORT_TAGS(run_list(run, RUN_TAGS)), fd, "tags", "tag", run_id,
			    err) &&
	       write_metrics(x, run, fd, err) && export_inputs(x, experiment, run, fd, err) &&
	       export_artifacts_copy(x, artifacts, put, err);
}

/* Artifacts of other stores stay where they are. */
static void tell_of_address(struct export *x, const struct json_value *run)
{
	struct slice uri = run_info(run, "artifact_uri"), path;
	struct error ignored;
	if (x->with_artifacts && uri.len > 0 && !artifact_uri_path(uri, &path, &ignored))
		import_report_add(&x->report, IMPORT_CHANGED, "run", run_id_of(run),
				  "its artifacts stay at %.*s", SLICE_FMT(uri));
}

/* Searches leave out which logged models a run read; asking for the run itself does not. */
static bool put_run(struct export *x, const struct export_experiment *experiment,
		    struct export_put *put, struct error *err)
{
	const struct json_value *run;
	struct export_artifacts artifacts;
	if (!export_get_run(x, put->name, &run, err) ||
	    !export_artifacts_find(x, run_info(run, "artifact_uri"), &artifacts, err) ||
	    !compute_digest(x, run, &artifacts, put->digest, err) || !export_put_begin(x, put, err))
		return error_prefix(err, "run %.*s", SLICE_FMT(put->name));
	x->report.counts.runs += put->was_there ? 0 : 1;
	x->report.counts.runs_skipped += put->was_there ? 1 : 0;
	if (!put->was_there)
		tell_of_address(x, run);
	bool ok = !put->is_due || fill(x, experiment, run, &artifacts, put, err);
	return export_put_end(x, put, ok, err);
}

bool export_run(struct export *x, const struct export_experiment *experiment, struct slice run_id,
		struct error *err)
{
	struct arena *arena = x->cli->arena;
	struct export_put put = {.kind = "run", .name = run_id};
	if (export_name_fault(run_id) != NULL)
		return error_set(err, ERR_DATA_LOSS, "the server names a run by no id");
	put.target = arena_cstr(
		arena, arena_printf(arena, "%s/%.*s", experiment->folder, SLICE_FMT(run_id)));
	return put_run(x, experiment, &put, err);
}
