/* Owns the export of logged models. */
#include <unistd.h>

#include "cli/export.h"

enum { PAGE_MODELS = 50, CURVE_BYTES_MAX = 64 * 1024 * 1024 };

/* How MLflow numbers them. */
static int status_number(struct slice status)
{
	static const char *const names[] = {"UNSPECIFIED", "PENDING", "READY", "UPLOAD_FAILED"};
	static const struct slice prefix = {"LOGGED_MODEL_", 13};
	if (slice_starts_with(status, prefix))
		status = slice_from(status, prefix.len);
	for (int i = 0; i < (int)ARRAY_COUNT(names); i++) {
		if (slice_eq_cstr(status, names[i]))
			return i;
	}
	return 0;
}

static bool write_meta(struct export *x, const struct export_experiment *experiment,
		       const struct json_value *info, int model_fd, struct error *err)
{
	struct yaml_writer *y = x->yaml;
	struct slice id = json_text(info, "model_id");
	const char *home =
		arena_cstr(x->cli->arena, arena_printf(x->cli->arena, "%s/models/%.*s/artifacts",
						       experiment->id, SLICE_FMT(id)));
	yaml_writer_begin(y);
	yaml_put_string(y, "artifact_location",
			export_uri(x, export_text(info, "artifact_uri"), home));
	yaml_put_int(y, "creation_timestamp",
		     json_tree_i64(json_tree_get(info, "creation_timestamp_ms"), 0));
	yaml_put_string(y, "experiment_id", slice_from_cstr(experiment->id));
	yaml_put_int(y, "last_updated_timestamp",
		     json_tree_i64(json_tree_get(info, "last_updated_timestamp_ms"), 0));
	yaml_put_string(y, "model_id", id);
	yaml_put_string(y, "model_type", export_text(info, "model_type"));
	yaml_put_string(y, "name", export_text(info, "name"));
	yaml_put_string(y, "source_run_id", export_text(info, "source_run_id"));
	yaml_put_int(y, "status", status_number(json_text(info, "status")));
	yaml_put_string(y, "status_message", export_text(info, "status_message"));
	return export_meta(x, model_fd, err);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static bool has_space(struct slice text)
{
	return slice_find_byte(text, ' ', 0) < text.len ||
	       slice_find_byte(text, '\n', 0) < text.len;
}

/* "timestamp value step run", and the dataset, where its name is one word. */
static void append_line(struct export *x, struct slice model_id, const struct json_value *metric,
			struct buffer *lines)
{
	struct slice run_id = json_text(metric, "run_id"), name = json_text(metric, "dataset_name"),
		     digest = json_text(metric, "dataset_digest"), key = json_text(metric, "key");
	if (run_id.len == 0 || has_space(run_id)) {
		export_leave_out(x, "metric", model_id, key, "it names no run");
		return;
	}
	export_point(lines, metric);
	buffer_printf(lines, " %.*s", SLICE_FMT(run_id));
	if (name.len > 0 && (has_space(name) || has_space(digest) || digest.len == 0))
		export_leave_out(x, "dataset of metric", model_id, key,
				 "a file store has no place for a name of several words");
	else if (name.len > 0)
		buffer_printf(lines, " %.*s %.*s", SLICE_FMT(name), SLICE_FMT(digest));
	buffer_append_byte(lines, '\n');
}

/* All metrics of one key, from the first on. */
static bool write_curve(struct export *x, struct slice model_id, const struct json_value *first,
			int folder_fd, struct error *err)
{
	struct slice key = json_text(first, "key");
	struct buffer lines;
	const char *fault;
	buffer_init(&lines, CURVE_BYTES_MAX);
	for (const struct json_value *metric = first; metric != NULL;
	     metric = metric->next_sibling_or_null) {
		if (slice_eq(json_text(metric, "key"), key))
			append_line(x, model_id, metric, &lines);
	}
	bool ok = buffer_check(&lines, "the metrics of a logged model", err);
	/* Without a line MLflow takes the file for damaged. */
	int fd = ok && lines.len > 0 ? export_key_create(folder_fd, key, &fault, err) : -1;
	if (fd >= 0) {
		ok = export_write(fd, "metrics", buffer_slice(&lines), err);
		if (close(fd) != 0 && ok)
			ok = cli_fail_file(err, "write", "metrics");
	} else if (ok && lines.len > 0) {
		ok = fault != NULL;
		if (ok)
			export_leave_out(x, "metric", model_id, key, fault);
	}
	buffer_deinit(&lines);
	return ok;
}

static bool is_first(const struct json_value *list, const struct json_value *metric)
{
	const struct json_value *other = json_items(list);
	while (other != metric && !slice_eq(json_text(other, "key"), json_text(metric, "key")))
		other = other->next_sibling_or_null;
	return other == metric;
}

static bool write_metrics(struct export *x, struct slice model_id, const struct json_value *list,
			  int model_fd, struct error *err)
{
	const struct json_value *metric = json_items(list);
	int fd = export_folder_make(model_fd, "metrics", err);
	bool ok = fd >= 0;
	for (; metric != NULL && ok; metric = metric->next_sibling_or_null) {
		if (is_first(list, metric))
			ok = write_curve(x, model_id, metric, fd, err);
	}
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return ok;
}

/* ---- the model ------------------------------------------------------------------------------- */

static bool compute_digest(struct export *x, const struct json_value *model,
			   const struct export_artifacts *artifacts,
			   char digest[SHA256_HEX_LEN + 1], struct error *err)
{
	struct sha256 h = {0};
	bool ok = export_digest_begin(x, artifacts, &h, err) &&
		  sha256_update(&h, model->text, err) && sha256_finish(&h, digest, err);
	sha256_deinit(&h);
	return ok;
}

static bool fill(struct export *x, const struct export_experiment *experiment,
		 const struct json_value *model, const struct export_artifacts *artifacts,
		 struct export_put *put, struct error *err)
{
	const struct json_value *info = json_tree_get(model, "info"),
				*data = json_tree_get(model, "data");
	struct slice id = json_text(info, "model_id");
	int fd = put->fd;
	return write_meta(x, experiment, info, fd, err) &&
	       export_pairs(x, EXPORT_TAGS(json_tree_get(info, "tags")), fd, "tags", "tag", id,
			    err) &&
	       export_pairs(x, EXPORT_TAGS(json_tree_get(data, "params")), fd, "params", "param",
			    id, err) &&
	       write_metrics(x, id, json_tree_get(data, "metrics"), fd, err) &&
	       export_artifacts_copy(x, artifacts, put, err);
}

static bool take_model(struct export *x, void *context, const struct json_value *model,
		       struct error *err)
{
	const struct export_experiment *experiment = context;
	const struct json_value *info = json_tree_get(model, "info");
	struct slice id = json_text(info, "model_id");
	struct arena *arena = x->cli->arena;
	struct export_artifacts artifacts;
	struct export_put put = {.kind = "logged model", .name = id};
	if (export_name_fault(id) != NULL)
		return error_set(err, ERR_DATA_LOSS, "the server names a model by no id");
	const char *models =
		arena_cstr(arena, arena_printf(arena, "%s/models", experiment->folder));
	put.target = arena_cstr(arena, arena_printf(arena, "%s/%.*s", models, SLICE_FMT(id)));
	if (!export_artifacts_find(x, json_text(info, "artifact_uri"), &artifacts, err) ||
	    !compute_digest(x, model, &artifacts, put.digest, err) ||
	    !export_put_begin(x, &put, err))
		return error_prefix(err, "logged model %.*s", SLICE_FMT(id));
	x->report.counts.logged_models++;
	bool ok = !put.is_due || (export_tree_folder(&x->tree, models, err) &&
				  fill(x, experiment, model, &artifacts, &put, err));
	return export_put_end(x, &put, ok, err);
}

bool export_logged_models(struct export *x, const struct export_experiment *experiment,
			  struct error *err)
{
	struct export_experiment mine = *experiment;
	const struct export_search search = {
		.path = "/api/2.0/mlflow/logged-models/search",
		.items = "models",
		.page_items = PAGE_MODELS,
		.write = export_write_experiment,
		.item = take_model,
		.context = &mine,
	};
	return export_search_if_known(x, &search, err);
}
