/* Owns the import source that is a running server with MLflow's REST API: its replies as items. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/import_call.h"
#include "cli/import_source.h"
#include "cli/server_pages.h"
#include "src/sha256.h"

#define API "/api/2.0/mlflow/"

enum { ARENA_BYTES_MAX = 256 * 1024 * 1024, FOLDER_BYTES_MAX = 1024 };

/* Prompts are registered models that a search leaves out unless it asks for them. */
enum registry_pass { PASS_MODELS, PASS_PROMPTS, PASS_END };

struct folder {
	struct folder *next_or_null;
	struct slice path;
};

struct server_source {
	struct import_source base;
	struct api *api;
	const char *experiment_or_null;
	struct server_pages experiments, runs, points, logged_models, models, versions, files;
	struct arena outer, inner, call;
	struct slice run_id, model_name; /* yielded last; in inner, outer */
	struct slice model_id;		 /* likewise; absent when it was a run */
	struct slice *metric_keys;	 /* of the run; in inner */
	size_t metric_key_count, metric_key_next;
	struct folder *folders_or_null; /* of the run's artifacts, not listed yet; in inner */
	struct slice listed_path;	/* of the folder that is listed; in inner */
	enum registry_pass pass;
};

static struct server_source *from_base(struct import_source *base)
{
	return CONTAINER_OF(base, struct server_source, base);
}

/* An error that is about the item that was asked for: the server answered. */
static bool is_about_item(const struct error *err)
{
	return err->code != ERR_TEMPORARILY_UNAVAILABLE && err->code != ERR_CANCELLED &&
	       err->code != ERR_REQUEST_TIMEOUT && err->code != ERR_UNAUTHENTICATED;
}

static struct slice text_of(const struct json_value *object, const char *key, struct arena *arena)
{
	return arena_copy(arena, json_tree_string(json_tree_get(object, key), (struct slice){0}));
}

static int64_t number_of(const struct json_value *object, const char *key, int64_t otherwise)
{
	return json_tree_i64(json_tree_get(object, key), otherwise);
}

static void read_pairs(const struct json_value *list_or_null, struct arena *arena,
		       struct import_pairs *out)
{
	for (const struct json_value *i = json_items(list_or_null); i != NULL;
	     i = i->next_sibling_or_null)
		import_pairs_add(out, text_of(i, "key", arena),
				 slice_or_empty(text_of(i, "value", arena)), arena);
}

static bool is_deleted(const struct json_value *object)
{
	return slice_eq_cstr(json_text(object, "lifecycle_stage"), "deleted");
}

/* ---- experiments ------------------------------------------------------------------------------ */

static bool next_experiment(struct import_source *base, struct arena *arena,
			    struct import_experiment *out, bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	const struct json_value *e;
	*found_out = false;
	do {
		if (!server_pages_next(&s->experiments, &e, err))
			return false;
		if (e == NULL)
			return true;
	} while (s->experiment_or_null != NULL &&
		 !slice_eq_cstr(json_text(e, "name"), s->experiment_or_null));
	*found_out = true;
	out->id = number_of(e, "experiment_id", -1);
	out->name = text_of(e, "name", arena);
	out->artifact_location = text_of(e, "artifact_location", arena);
	out->is_deleted = is_deleted(e);
	out->creation_time_ms = number_of(e, "creation_time", -1);
	out->last_update_time_ms = number_of(e, "last_update_time", -1);
	read_pairs(json_tree_get(e, "tags"), arena, &out->tags);
	arena_reset(&s->call);
	server_pages_post(&s->runs, SLICE(API "runs/search"),
			  arena_printf(&s->call,
				       "{\"experiment_ids\":[\"%" PRId64 "\"],"
				       "\"run_view_type\":\"ALL\",\"max_results\":200",
				       out->id));
	server_pages_post(&s->logged_models, SLICE(API "logged-models/search"),
			  arena_printf(&s->call,
				       "{\"experiment_ids\":[\"%" PRId64 "\"],"
				       "\"max_results\":50",
				       out->id));
	return true;
}

/* ---- runs ------------------------------------------------------------------------------------- */

static void read_datasets(const struct json_value *inputs_or_null, struct arena *arena,
			  struct import_datasets *out)
{
	const struct json_value *list = json_tree_get(inputs_or_null, "dataset_inputs");
	for (const struct json_value *i = json_items(list); i != NULL;
	     i = i->next_sibling_or_null) {
		const struct json_value *d = json_tree_get(i, "dataset");
		struct import_dataset dataset = {
			.name = text_of(d, "name", arena),
			.digest = text_of(d, "digest", arena),
			.source_type = text_of(d, "source_type", arena),
			.source = text_of(d, "source", arena),
			.schema = text_of(d, "schema", arena),
			.profile = text_of(d, "profile", arena),
		};
		read_pairs(json_tree_get(i, "tags"), arena, &dataset.tags);
		import_datasets_add(out, dataset, arena);
	}
}

static void read_links(const struct json_value *list_or_null, struct arena *arena,
		       struct import_model_links *out)
{
	for (const struct json_value *i = json_items(list_or_null); i != NULL;
	     i = i->next_sibling_or_null) {
		const struct import_model_link link = {text_of(i, "model_id", arena),
						       number_of(i, "step", 0)};
		import_model_links_add(out, link, arena);
	}
}

/* The latest metrics stand for the points: a run that is logged to moves them. */
static struct slice digest_of(const struct json_value *metrics_or_null, struct arena *arena)
{
	struct sha256 hash;
	struct error ignored;
	char hex[SHA256_HEX_LEN + 1];
	struct slice text = metrics_or_null != NULL ? metrics_or_null->text : SLICE("[]");
	if (!sha256_init(&hash, &ignored))
		return (struct slice){0};
	bool ok = sha256_update(&hash, text, &ignored) && sha256_finish(&hash, hex, &ignored);
	sha256_deinit(&hash);
	return ok ? arena_printf(arena, "latest %s", hex) : (struct slice){0};
}

static void keep_metric_keys(struct server_source *s, const struct json_value *metrics_or_null)
{
	size_t count = metrics_or_null != NULL ? metrics_or_null->child_count : 0;
	s->metric_keys = ARENA_NEW(&s->inner, struct slice, count + 1);
	s->metric_key_count = s->metric_key_next = 0;
	for (const struct json_value *m = json_items(metrics_or_null); m != NULL;
	     m = m->next_sibling_or_null)
		s->metric_keys[s->metric_key_count++] = text_of(m, "key", &s->inner);
}

static struct slice run_id_of(const struct json_value *info, struct arena *arena)
{
	struct slice run_id = text_of(info, "run_id", arena);
	return run_id.len > 0 ? run_id : text_of(info, "run_uuid", arena);
}

static void begin_folders(struct server_source *s)
{
	s->folders_or_null = ARENA_NEW(&s->inner, struct folder, 1);
	s->folders_or_null->path = SLICE("");
	server_pages_end(&s->files);
}

/* A search leaves out the models that a run read, so the run is asked for by itself. One that went meanwhile has what
 * the search said. */
static bool read_inputs(struct server_source *s, const struct json_value *found,
			struct arena *arena, struct import_run *out, struct error *err)
{
	struct json_value *reply;
	arena_reset(&s->call);
	struct slice path = arena_printf(&s->call, API "runs/get?run_id=%s",
					 fetcher_encode_value(&s->call, out->run_id));
	const struct json_value *run = found;
	if (import_call(s->api, "GET", path, (struct slice){0}, &s->call, &reply, err))
		run = json_tree_get(reply, "run");
	else if (!is_about_item(err))
		return false;
	read_datasets(json_tree_get(run, "inputs"), arena, &out->datasets);
	read_links(json_tree_path(run, "inputs.model_inputs"), arena, &out->model_inputs);
	read_links(json_tree_path(run, "outputs.model_outputs"), arena, &out->model_outputs);
	return true;
}

static bool next_run(struct import_source *base, struct arena *arena, struct import_run *out,
		     bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	const struct json_value *run;
	if (!server_pages_next(&s->runs, &run, err))
		return false;
	*found_out = run != NULL;
	server_pages_end(&s->points);
	if (run == NULL)
		return true;
	const struct json_value *info = json_tree_get(run, "info"),
				*data = json_tree_get(run, "data");
	out->run_id = run_id_of(info, arena);
	out->name = text_of(info, "run_name", arena);
	out->user_id = text_of(info, "user_id", arena);
	out->status = text_of(info, "status", arena);
	out->start_time_ms = number_of(info, "start_time", -1);
	out->end_time_ms = number_of(info, "end_time", -1);
	out->deleted_time_ms = -1;
	out->is_deleted = is_deleted(info);
	out->artifact_uri = text_of(info, "artifact_uri", arena);
	read_pairs(json_tree_get(data, "tags"), arena, &out->tags);
	read_pairs(json_tree_get(data, "params"), arena, &out->params);
	if (!read_inputs(s, run, arena, out, err))
		return false;
	out->points_digest = digest_of(json_tree_get(data, "metrics"), arena);
	arena_reset(&s->inner);
	s->run_id = arena_copy(&s->inner, out->run_id);
	s->model_id = (struct slice){0};
	keep_metric_keys(s, json_tree_get(data, "metrics"));
	begin_folders(s);
	return true;
}

/* ---- points ----------------------------------------------------------------------------------- */

static void begin_history(struct server_source *s, struct slice key)
{
	arena_reset(&s->call);
	server_pages_get(&s->points, arena_printf(&s->call,
						  API "metrics/get-history?run_id=%s&metric_key=%s"
						      "&max_results=25000",
						  fetcher_encode_value(&s->call, s->run_id),
						  fetcher_encode_value(&s->call, key)));
}

/* The next point of the curve at hand, or of the next one; NULL behind the last. A curve that the
 * server cannot give is told. */
static bool next_point(struct server_source *s, const struct json_value **out, struct error *err)
{
	for (;;) {
		if (!server_pages_next(&s->points, out, err)) {
			if (!is_about_item(err))
				return false;
			import_report_add(s->base.report, IMPORT_FAILED, "metric",
					  s->metric_keys[s->metric_key_next - 1], "of run %.*s: %s",
					  SLICE_FMT(s->run_id), err->message);
			continue;
		}
		if (*out != NULL || s->metric_key_next == s->metric_key_count)
			return true;
		begin_history(s, s->metric_keys[s->metric_key_next++]);
	}
}

static bool next_points(struct import_source *base, struct arena *arena,
			struct import_point *points, size_t max, size_t *count_out,
			struct error *err)
{
	struct server_source *s = from_base(base);
	size_t count = 0;
	(void)arena; /* the keys live as long as the run */
	while (count < max) {
		const struct json_value *m;
		if (!next_point(s, &m, err))
			return false;
		if (m == NULL)
			break;
		points[count++] = (struct import_point){
			.key = s->metric_keys[s->metric_key_next - 1],
			.value = json_tree_double(json_tree_get(m, "value"), 0),
			.timestamp_ms = number_of(m, "timestamp", 0),
			.step = number_of(m, "step", 0),
		};
	}
	*count_out = count;
	return true;
}

/* ---- artifacts -------------------------------------------------------------------------------- */

/* What the server stores itself it also hands out; what is in a bucket stays there. */
static bool has_artifacts(struct import_source *base, struct slice uri)
{
	static const char *const schemes[] = {"mlflow-artifacts:", "file:", "http:", "https:"};
	(void)base;
	for (size_t i = 0; i < ARRAY_COUNT(schemes); i++) {
		if (slice_starts_with(uri, slice_from_cstr(schemes[i])))
			return true;
	}
	return slice_find_byte(uri, ':', 0) > slice_find_byte(uri, '/', 0);
}

static void list_folder(struct server_source *s)
{
	struct slice path = s->folders_or_null->path;
	s->listed_path = path;
	s->folders_or_null = s->folders_or_null->next_or_null;
	arena_reset(&s->call);
	struct slice query =
		slice_is_present(s->model_id)
			? arena_printf(&s->call,
				       API "logged-models/%s/artifacts/directories"
					   "?artifact_directory_path=%s",
				       fetcher_encode_value(&s->call, s->model_id),
				       fetcher_encode_value(&s->call, path))
			: arena_printf(&s->call, API "artifacts/list?run_id=%s&path=%s",
				       fetcher_encode_value(&s->call, s->run_id),
				       fetcher_encode_value(&s->call, path));
	server_pages_get(&s->files, query);
}

/* A folder is below the one that names it; a server that says otherwise is not followed in circles. */
static void push_folder(struct server_source *s, struct slice path)
{
	size_t len = s->listed_path.len;
	if (!slice_starts_with(path, s->listed_path) || path.len <= len ||
	    (len > 0 && path.ptr[len] != '/') || path.len > FOLDER_BYTES_MAX) {
		import_report_add(s->base.report, IMPORT_FAILED, "artifact", path,
				  "of run %.*s: a folder that is not where the server lists it",
				  SLICE_FMT(s->run_id));
		return;
	}
	struct folder *folder = ARENA_NEW(&s->inner, struct folder, 1);
	*folder = (struct folder){s->folders_or_null, arena_copy(&s->inner, path)};
	s->folders_or_null = folder;
}

static bool next_artifact(struct import_source *base, struct arena *arena,
			  struct import_artifact *out, bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	*found_out = false;
	for (;;) {
		const struct json_value *file;
		if (!server_pages_next(&s->files, &file, err)) {
			if (!is_about_item(err))
				return false;
			import_report_add(base->report, IMPORT_FAILED, "artifacts", s->run_id,
					  "they cannot be listed: %s", err->message);
			continue;
		}
		if (file == NULL && s->folders_or_null == NULL)
			return true;
		if (file == NULL) {
			list_folder(s);
		} else if (json_tree_bool(json_tree_get(file, "is_dir"), false)) {
			push_folder(s, json_text(file, "path"));
		} else {
			out->path = text_of(file, "path", arena);
			out->bytes = number_of(file, "file_size", -1);
			*found_out = true;
			return true;
		}
	}
}

static struct slice file_path(struct server_source *s, const struct import_artifact *artifact)
{
	const char *path = fetcher_encode_value(&s->call, artifact->path);
	if (slice_is_present(s->model_id))
		return arena_printf(&s->call,
				    "/ajax-api/2.0/mlflow/logged-models/%s/artifacts/files"
				    "?artifact_file_path=%s",
				    fetcher_encode_value(&s->call, s->model_id), path);
	return arena_printf(&s->call, "/get-artifact?run_uuid=%s&path=%s",
			    fetcher_encode_value(&s->call, s->run_id), path);
}

static int open_artifact(struct import_source *base, const struct import_artifact *artifact)
{
	struct server_source *s = from_base(base);
	struct error err = {0};
	int fd = cli_open_temporary(base->cli, &err);
	arena_reset(&s->call);
	if (fd >= 0 && import_fetch(s->api, file_path(s, artifact), fd, &err))
		return fd;
	import_report_add(base->report, IMPORT_FAILED, "artifact", artifact->path,
			  "of run %.*s: %s", SLICE_FMT(s->run_id), err.message);
	if (fd >= 0)
		(void)close(fd); /* temporary */
	return -1;
}

/* ---- logged models ---------------------------------------------------------------------------- */

static void read_model_metrics(const struct json_value *list_or_null, struct arena *arena,
			       struct import_model_metrics *out)
{
	for (const struct json_value *m = json_items(list_or_null); m != NULL;
	     m = m->next_sibling_or_null) {
		const struct import_model_metric metric = {
			.point = {.key = text_of(m, "key", arena),
				  .value = json_tree_double(json_tree_get(m, "value"), 0),
				  .timestamp_ms = number_of(m, "timestamp", 0),
				  .step = number_of(m, "step", 0)},
			.run_id = text_of(m, "run_id", arena),
			.dataset_name = text_of(m, "dataset_name", arena),
			.dataset_digest = text_of(m, "dataset_digest", arena),
		};
		import_model_metrics_add(out, metric, arena);
	}
}

/* Servers from before there were logged models refuse the question, which is an answer. */
static bool next_logged_model(struct import_source *base, struct arena *arena,
			      struct import_logged_model *out, bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	const struct json_value *model = NULL;
	*found_out = false;
	if (!server_pages_next(&s->logged_models, &model, err) && !is_about_item(err))
		return false;
	if (model == NULL)
		return true;
	const struct json_value *info = json_tree_get(model, "info"),
				*data = json_tree_get(model, "data");
	*found_out = true;
	out->model_id = text_of(info, "model_id", arena);
	out->name = text_of(info, "name", arena);
	out->type = text_of(info, "model_type", arena);
	out->source_run_id = text_of(info, "source_run_id", arena);
	out->status = text_of(info, "status", arena);
	out->status_message = text_of(info, "status_message", arena);
	out->artifact_uri = slice_or_empty(text_of(info, "artifact_uri", arena));
	out->creation_time_ms = number_of(info, "creation_timestamp_ms", -1);
	out->last_update_time_ms = number_of(info, "last_updated_timestamp_ms", -1);
	read_pairs(json_tree_get(info, "tags"), arena, &out->tags);
	read_pairs(json_tree_get(data, "params"), arena, &out->params);
	read_model_metrics(json_tree_get(data, "metrics"), arena, &out->metrics);
	arena_reset(&s->inner);
	s->model_id = arena_copy(&s->inner, out->model_id);
	s->run_id = s->model_id; /* for the report */
	begin_folders(s);
	return true;
}

/* ---- registry --------------------------------------------------------------------------------- */

#define PROMPT_FILTER "tags.`mlflow.prompt.is_prompt` = 'true'"

static void begin_models(struct server_source *s, enum registry_pass pass)
{
	s->pass = pass;
	arena_reset(&s->call);
	struct slice path = SLICE(API "registered-models/search?max_results=100");
	if (pass == PASS_PROMPTS)
		path = arena_printf(&s->call, "%.*s&filter=%s", SLICE_FMT(path),
				    fetcher_encode_value(&s->call, SLICE(PROMPT_FILTER)));
	server_pages_get(&s->models, path);
}

/* Servers from before there were prompts refuse the second question, which is an answer. */
static bool next_model_item(struct server_source *s, const struct json_value **out,
			    struct error *err)
{
	*out = NULL;
	while (*out == NULL && s->pass != PASS_END) {
		if (!server_pages_next(&s->models, out, err) &&
		    (s->pass == PASS_MODELS || !is_about_item(err)))
			return false;
		if (*out != NULL)
			break;
		if (s->pass == PASS_MODELS)
			begin_models(s, PASS_PROMPTS);
		else
			s->pass = PASS_END;
	}
	return true;
}

/* Names with a quotation mark of either kind are told apart by the other. */
static void begin_versions(struct server_source *s)
{
	bool has_quote = slice_find_byte(s->model_name, '\'', 0) < s->model_name.len;
	arena_reset(&s->call);
	struct slice filter = arena_printf(&s->call, has_quote ? "name=\"%.*s\"" : "name='%.*s'",
					   SLICE_FMT(s->model_name));
	if (s->pass == PASS_PROMPTS)
		filter = arena_concat(&s->call, filter, SLICE(" AND " PROMPT_FILTER));
	server_pages_get(&s->versions,
			 arena_printf(&s->call,
				      API "model-versions/search?max_results=1000&filter=%s"
					  "&order_by=version_number%%20ASC",
				      fetcher_encode_value(&s->call, filter)));
}

static bool next_model(struct import_source *base, struct arena *arena, struct import_model *out,
		       bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	const struct json_value *model;
	if (!next_model_item(s, &model, err))
		return false;
	*found_out = model != NULL;
	if (model == NULL)
		return true;
	out->name = text_of(model, "name", arena);
	out->description = text_of(model, "description", arena);
	out->creation_time_ms = number_of(model, "creation_timestamp", -1);
	out->last_update_time_ms = number_of(model, "last_updated_timestamp", -1);
	read_pairs(json_tree_get(model, "tags"), arena, &out->tags);
	for (const struct json_value *a = json_items(json_tree_get(model, "aliases")); a != NULL;
	     a = a->next_sibling_or_null)
		import_aliases_add(&out->aliases,
				   (struct import_alias){text_of(a, "alias", arena),
							 number_of(a, "version", 0)},
				   arena);
	arena_reset(&s->outer);
	s->model_name = arena_copy(&s->outer, out->name);
	begin_versions(s);
	return true;
}

/* Where the version's files are, which no list says. */
static struct slice download_uri(struct server_source *s, int64_t version, struct arena *arena)
{
	struct json_value *reply;
	struct error ignored;
	arena_reset(&s->call);
	struct slice path = arena_printf(&s->call,
					 API "model-versions/get-download-uri?name=%s"
					     "&version=%" PRId64,
					 fetcher_encode_value(&s->call, s->model_name), version);
	if (!import_call(s->api, "GET", path, (struct slice){0}, &s->call, &reply, &ignored))
		return (struct slice){0}; /* it is then where its source is */
	return text_of(reply, "artifact_uri", arena);
}

static bool next_version(struct import_source *base, struct arena *arena,
			 struct import_version *out, bool *found_out, struct error *err)
{
	struct server_source *s = from_base(base);
	const struct json_value *v;
	if (!server_pages_next(&s->versions, &v, err)) {
		if (!is_about_item(err))
			return false;
		import_report_add(base->report, IMPORT_FAILED, "model", s->model_name,
				  "its versions cannot be listed: %s", err->message);
		v = NULL;
	}
	*found_out = v != NULL;
	if (v == NULL)
		return true;
	out->version = number_of(v, "version", 0);
	out->description = text_of(v, "description", arena);
	out->user_id = text_of(v, "user_id", arena);
	out->stage = text_of(v, "current_stage", arena);
	out->source = slice_or_empty(text_of(v, "source", arena));
	out->run_id = text_of(v, "run_id", arena);
	out->run_link = text_of(v, "run_link", arena);
	out->status = text_of(v, "status", arena);
	out->status_message = text_of(v, "status_message", arena);
	out->creation_time_ms = number_of(v, "creation_timestamp", -1);
	out->last_update_time_ms = number_of(v, "last_updated_timestamp", -1);
	read_pairs(json_tree_get(v, "tags"), arena, &out->tags);
	out->storage_location = download_uri(s, out->version, arena);
	return true;
}

/* ---- the source as a whole -------------------------------------------------------------------- */

static bool totals(struct import_source *base, struct import_totals *out, struct error *err)
{
	(void)base, (void)err;
	*out = (struct import_totals){-1, -1, -1, -1};
	return true;
}

static bool finish(struct import_source *base, struct arena *arena, struct error *err)
{
	(void)arena, (void)err;
	import_report_add(base->report, IMPORT_UNSUPPORTED, "traces", SLICE("of the server"),
			  "imports do not carry traces, webhooks and evaluation datasets");
	return true;
}

static void close_source(struct import_source *base)
{
	struct server_source *s = from_base(base);
	struct server_pages *const pages[] = {&s->experiments,	&s->runs,     &s->points,
					      &s->models,	&s->versions, &s->files,
					      &s->logged_models};
	for (size_t i = 0; i < ARRAY_COUNT(pages); i++)
		server_pages_deinit(pages[i]);
	arena_deinit(&s->outer);
	arena_deinit(&s->inner);
	arena_deinit(&s->call);
	api_close(s->api);
	free(s);
}

static const struct import_source_ops server_ops = {
	.next_experiment = next_experiment,
	.next_run = next_run,
	.next_points = next_points,
	.next_logged_model = next_logged_model,
	.next_artifact = next_artifact,
	.open_artifact = open_artifact,
	.next_model = next_model,
	.next_version = next_version,
	.has_artifacts = has_artifacts,
	.totals = totals,
	.finish = finish,
	.close = close_source,
};

/* Releases before 1.29 have a list of experiments, and no search. */
static bool begin_experiments(struct server_source *s, struct error *err)
{
	struct json_value *reply;
	if (api_call(s->api, "POST", SLICE(API "experiments/search"),
		     SLICE("{\"max_results\":1,\"view_type\":\"ALL\"}"), &s->call, &reply, err)) {
		server_pages_post(&s->experiments, SLICE(API "experiments/search"),
				  SLICE("{\"max_results\":1000,\"view_type\":\"ALL\""));
		return true;
	}
	if (err->code != ERR_NOT_FOUND && err->code != ERR_ENDPOINT_NOT_FOUND)
		return false;
	if (!api_call(s->api, "GET", SLICE(API "experiments/list?view_type=ALL"), (struct slice){0},
		      &s->call, &reply, err))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the server there does not speak MLflow's API");
	server_pages_get(&s->experiments, SLICE(API "experiments/list?view_type=ALL"));
	return true;
}

static void init_pages(struct server_source *s)
{
	server_pages_init(&s->experiments, s->api, "experiments");
	server_pages_init(&s->runs, s->api, "runs");
	server_pages_init(&s->points, s->api, "metrics");
	server_pages_init(&s->logged_models, s->api, "models");
	server_pages_init(&s->models, s->api, "registered_models");
	server_pages_init(&s->versions, s->api, "model_versions");
	server_pages_init(&s->files, s->api, "files");
}

bool server_source_open(const struct import_source_options *options, struct import_source **out,
			struct error *err)
{
	struct server_source *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	s->base = (struct import_source){&server_ops, options->cli, options->report};
	s->experiment_or_null = options->experiment_or_null;
	arena_init(&s->outer, ARENA_BYTES_MAX);
	arena_init(&s->inner, ARENA_BYTES_MAX);
	arena_init(&s->call, ARENA_BYTES_MAX);
	bool ok = api_open(options->location, &s->api, err);
	init_pages(s);
	if (!ok || !begin_experiments(s, err)) {
		close_source(&s->base);
		return error_prefix(err, "%s", options->location);
	}
	begin_models(s, PASS_MODELS);
	*out = &s->base;
	return true;
}
