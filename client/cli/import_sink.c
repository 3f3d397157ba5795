/* Owns the requests that bring what an import reads into the daemon. */
#include "cli/import_sink.h"

#include <inttypes.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/import_call.h"
#include "src/sha256.h"

enum { ARENA_BYTES_MAX = 256 * 1024 * 1024, BODY_BYTES_MAX = 64 * 1024 * 1024, ID_BYTES_MAX = 24 };

static bool send(struct import_sink *sink, const char *path, struct json_value **reply,
		 struct error *err);
static bool is_refusal(const struct error *err);
static struct json_writer *begin(struct import_sink *sink);
static void put_pairs(struct json_writer *w, const char *key, struct import_pairs pairs);
static void put_time(struct json_writer *w, const char *key, int64_t time_ms);
static void put_id(struct json_writer *w, const char *key, int64_t id);

bool import_sink_open(struct import_sink *sink, struct cli *cli, struct import_report *report,
		      bool is_dry, struct error *err)
{
	struct json_value *reply;
	*sink = (struct import_sink){.cli = cli, .report = report};
	arena_init(&sink->arena, ARENA_BYTES_MAX);
	buffer_init(&sink->body, BODY_BYTES_MAX);
	if (is_dry)
		return true;
	/* A run that cannot be there: what is asked is whether the server knows the question. */
	if (cli_api(cli, &sink->api_or_null, err) &&
	    api_call(sink->api_or_null, "GET",
		     SLICE("/api/trackerd/v1/import/run?run_id=00000000000000000000000000000000"),
		     (struct slice){0}, &sink->arena, &reply, err))
		return true;
	if (err->code == ERR_NOT_FOUND || err->code == ERR_ENDPOINT_NOT_FOUND)
		error_set(err, ERR_NOT_IMPLEMENTED,
			  "the server at %s takes no imports: it is no trackerd, or an older one",
			  cli->url);
	return false;
}

void import_sink_close(struct import_sink *sink)
{
	buffer_deinit(&sink->body);
	arena_deinit(&sink->arena);
}

/* The counts are of what was added. */
static bool is_new(const struct json_value *reply)
{
	return json_tree_bool(json_tree_get(reply, "is_new"), true);
}

/* ---- experiments ------------------------------------------------------------------------------ */

bool import_sink_experiment(struct import_sink *sink, const struct import_experiment *experiment,
			    bool keeps_location, int64_t *id_out, bool *taken_out,
			    struct error *err)
{
	struct json_value *reply;
	*id_out = experiment->id;
	*taken_out = true;
	if (sink->api_or_null == NULL) {
		sink->report->counts.experiments++;
		return true;
	}
	struct json_writer *w = begin(sink);
	put_id(w, "experiment_id", experiment->id);
	json_put_string(w, "name", experiment->name);
	if (keeps_location)
		json_put_string(w, "artifact_location", experiment->artifact_location);
	json_put_cstr(w, "lifecycle_stage", experiment->is_deleted ? "deleted" : "active");
	put_time(w, "creation_time", experiment->creation_time_ms);
	put_time(w, "last_update_time", experiment->last_update_time_ms);
	put_pairs(w, "tags", experiment->tags);
	if (!send(sink, "experiment", &reply, err)) {
		if (!is_refusal(err))
			return false;
		*taken_out = false;
		import_report_add(sink->report, IMPORT_FAILED, "experiment", experiment->name, "%s",
				  err->message);
		return true;
	}
	*id_out = json_tree_i64(json_tree_get(reply, "experiment_id"), experiment->id);
	sink->report->counts.experiments += is_new(reply);
	if (*id_out != experiment->id)
		import_report_add(sink->report, IMPORT_CHANGED, "experiment", experiment->name,
				  "its id is %" PRId64 " here, not %" PRId64, *id_out,
				  experiment->id);
	return true;
}

/* ---- runs ------------------------------------------------------------------------------------- */

bool import_sink_standing(struct import_sink *sink, struct slice run_id, const char *digest,
			  enum import_standing *out, struct error *err)
{
	struct json_value *reply;
	*out = IMPORT_IS_NEW;
	if (sink->api_or_null == NULL)
		return true;
	arena_reset(&sink->arena);
	struct slice path = arena_printf(&sink->arena, "/api/trackerd/v1/import/run?run_id=%s",
					 fetcher_encode_value(&sink->arena, run_id));
	if (!import_call(sink->api_or_null, "GET", path, (struct slice){0}, &sink->arena, &reply,
			 err))
		return is_refusal(err); /* sending it will say what is wrong with it */
	if (slice_eq_cstr(json_text(reply, "digest"), digest))
		*out = IMPORT_IS_SAME;
	else if (!slice_eq_cstr(json_text(reply, "state"), "NONE"))
		*out = IMPORT_IS_KNOWN;
	return true;
}

/* The lists of a part, one behind the other, as one list of items. */
struct item_range {
	size_t from, to;
};

static size_t item_count(const struct import_part *part)
{
	return part->tags.count + part->params.count + part->point_count + part->datasets.count;
}

/* Where the range lies in a list that begins at *begin; moves *begin behind it. */
static struct item_range within(struct item_range range, size_t *begin, size_t count)
{
	size_t from = range.from > *begin ? range.from - *begin : 0;
	size_t to = range.to > *begin ? range.to - *begin : 0;
	*begin += count;
	return (struct item_range){from < count ? from : count, to < count ? to : count};
}

/* The part with only these of its items. */
static struct import_part narrowed(const struct import_part *part, struct item_range range)
{
	struct import_part out = *part;
	size_t begin = 0;
	struct item_range r = within(range, &begin, part->tags.count);
	out.tags = (struct import_pairs){part->tags.items + r.from, r.to - r.from};
	r = within(range, &begin, part->params.count);
	out.params = (struct import_pairs){part->params.items + r.from, r.to - r.from};
	r = within(range, &begin, part->point_count);
	out.points = part->points + r.from;
	out.point_count = r.to - r.from;
	r = within(range, &begin, part->datasets.count);
	out.datasets = (struct import_datasets){part->datasets.items + r.from, r.to - r.from};
	return out;
}

static void put_points(struct json_writer *w, const struct import_point *points, size_t count)
{
	json_key(w, "metrics");
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(w);
		json_put_string(w, "key", points[i].key);
		json_put_double(w, "value", points[i].value);
		json_put_int(w, "timestamp", points[i].timestamp_ms);
		json_put_int(w, "step", points[i].step);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_datasets(struct json_writer *w, struct import_datasets datasets)
{
	json_key(w, "datasets");
	json_array_begin(w);
	for (size_t i = 0; i < datasets.count; i++) {
		const struct import_dataset *d = &datasets.items[i];
		json_object_begin(w);
		put_pairs(w, "tags", d->tags);
		json_key(w, "dataset");
		json_object_begin(w);
		json_put_string(w, "name", d->name);
		json_put_string(w, "digest", d->digest);
		json_put_string(w, "source_type", d->source_type);
		json_put_string(w, "source", d->source);
		json_put_string(w, "schema", d->schema);
		json_put_string(w, "profile", d->profile);
		json_object_end(w);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_links(struct json_writer *w, const struct import_part *part)
{
	json_key(w, "model_inputs");
	json_array_begin(w);
	for (size_t i = 0; i < part->model_inputs.count; i++)
		json_string(w, part->model_inputs.items[i].model_id);
	json_array_end(w);
	json_key(w, "model_outputs");
	json_array_begin(w);
	for (size_t i = 0; i < part->model_outputs.count; i++) {
		json_object_begin(w);
		json_put_string(w, "model_id", part->model_outputs.items[i].model_id);
		json_put_int(w, "step", part->model_outputs.items[i].step);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_part(struct import_sink *sink, const struct import_part *part)
{
	const struct import_run *run = part->run;
	struct json_writer *w = begin(sink);
	json_put_string(w, "run_id", run->run_id);
	put_id(w, "experiment_id", part->experiment_id);
	json_put_string(w, "name", run->name);
	json_put_string(w, "user_id", run->user_id);
	json_put_string(w, "status", run->status);
	json_put_cstr(w, "lifecycle_stage", run->is_deleted ? "deleted" : "active");
	put_time(w, "start_time", run->start_time_ms);
	put_time(w, "end_time", run->end_time_ms);
	put_time(w, "deleted_time", run->deleted_time_ms);
	json_put_string(w, "source_artifact_uri", run->artifact_uri);
	json_put_bool(w, "keeps_artifacts", part->keeps_artifacts);
	put_pairs(w, "tags", part->tags);
	put_pairs(w, "params", part->params);
	put_points(w, part->points, part->point_count);
	put_datasets(w, part->datasets);
	put_links(w, part);
	if (part->is_whole) {
		json_put_bool(w, "is_whole", true);
		json_put_cstr(w, "digest", part->digest);
	}
}

/* Tells which single item the server refused. */
static void report_item(struct import_sink *sink, const struct import_part *part,
			const struct error *err)
{
	const char *kind = "dataset";
	struct slice name = SLICE("");
	if (part->tags.count > 0) {
		kind = "tag";
		name = part->tags.items[0].key;
	} else if (part->params.count > 0) {
		kind = "param";
		name = part->params.items[0].key;
	} else if (part->point_count > 0) {
		kind = "metric";
		name = part->points[0].key;
	} else {
		name = part->datasets.items[0].name;
	}
	import_report_add(sink->report, IMPORT_FAILED, kind, name, "of run %.*s: %s",
			  SLICE_FMT(part->run->run_id), err->message);
}

static bool send_part(struct import_sink *sink, const struct import_part *part, struct arena *arena,
		      struct slice *uri_out, struct error *err)
{
	struct json_value *reply;
	write_part(sink, part);
	if (!send(sink, "run", &reply, err))
		return false;
	*uri_out = arena_copy(arena, json_text(reply, "artifact_uri"));
	return true;
}

/* Sends a range of items; halves it when it is refused, until the item that is at fault stands alone. */
static bool send_range(struct import_sink *sink, const struct import_part *part,
		       struct item_range range, struct arena *arena, struct slice *uri_out,
		       struct error *err)
{
	enum { PENDING_MAX = 64 }; /* each halving leaves one behind */
	struct item_range pending[PENDING_MAX] = {range};
	size_t pending_count = 1;
	while (pending_count > 0) {
		struct item_range r = pending[--pending_count];
		struct import_part some = narrowed(part, r);
		some.is_whole = false;
		if (send_part(sink, &some, arena, uri_out, err))
			continue;
		if (!is_refusal(err))
			return false;
		if (r.to - r.from <= 1) {
			report_item(sink, &some, err);
			continue;
		}
		size_t middle = r.from + (r.to - r.from) / 2;
		ASSERT(pending_count + 2 <= PENDING_MAX);
		pending[pending_count++] = (struct item_range){middle, r.to};
		pending[pending_count++] = (struct item_range){r.from, middle};
	}
	return true;
}

bool import_sink_run(struct import_sink *sink, const struct import_part *part, struct arena *arena,
		     struct slice *uri_out, struct error *err)
{
	*uri_out = SLICE("-");
	sink->report->counts.points += (int64_t)part->point_count;
	if (sink->api_or_null == NULL || send_part(sink, part, arena, uri_out, err))
		return true;
	if (!is_refusal(err))
		return false;
	/* Is it the run that is refused, or something it carries? */
	struct import_part bare = narrowed(part, (struct item_range){0, 0});
	bare.is_whole = false;
	if (!send_part(sink, &bare, arena, uri_out, err)) {
		*uri_out = (struct slice){0};
		if (is_refusal(err))
			import_report_add(sink->report, IMPORT_FAILED, "run", part->run->run_id,
					  "%s", err->message);
		return is_refusal(err);
	}
	if (!send_range(sink, part, (struct item_range){0, item_count(part)}, arena, uri_out, err))
		return false;
	bare.is_whole = part->is_whole;
	bare.digest = ""; /* not all came over: the next import tries again */
	return !bare.is_whole || send_part(sink, &bare, arena, uri_out, err);
}

/* ---- logged models ---------------------------------------------------------------------------- */

/* Sources and the API spell it with and without the prefix. */
static struct slice short_status(struct slice status)
{
	static const struct slice prefix = {"LOGGED_MODEL_", 13};
	if (slice_starts_with(status, prefix))
		status = slice_from(status, prefix.len);
	return slice_eq_cstr(status, "UPLOAD_FAILED") ? SLICE("FAILED") : status;
}

static void put_model_metrics(struct json_writer *w, struct import_model_metrics metrics)
{
	json_key(w, "metrics");
	json_array_begin(w);
	for (size_t i = 0; i < metrics.count; i++) {
		const struct import_model_metric *m = &metrics.items[i];
		json_object_begin(w);
		json_put_string(w, "key", m->point.key);
		json_put_double(w, "value", m->point.value);
		json_put_int(w, "timestamp", m->point.timestamp_ms);
		json_put_int(w, "step", m->point.step);
		json_put_string(w, "run_id", m->run_id);
		json_put_string(w, "dataset_name", m->dataset_name);
		json_put_string(w, "dataset_digest", m->dataset_digest);
		json_object_end(w);
	}
	json_array_end(w);
}

static void write_logged_model(struct import_sink *sink, const struct import_logged_model *model,
			       int64_t experiment_id, bool keeps_artifacts, bool is_whole)
{
	struct json_writer *w = begin(sink);
	json_put_string(w, "model_id", model->model_id);
	put_id(w, "experiment_id", experiment_id);
	json_put_string(w, "name", model->name);
	json_put_string(w, "model_type", model->type);
	json_put_string(w, "source_run_id", model->source_run_id);
	json_put_string(w, "status", short_status(model->status));
	json_put_string(w, "status_message", model->status_message);
	json_put_cstr(w, "lifecycle_stage", model->is_deleted ? "deleted" : "active");
	put_time(w, "creation_time", model->creation_time_ms);
	put_time(w, "last_updated_time", model->last_update_time_ms);
	json_put_string(w, "source_artifact_uri", model->artifact_uri);
	json_put_bool(w, "keeps_artifacts", keeps_artifacts);
	put_pairs(w, "tags", model->tags);
	put_pairs(w, "params", model->params);
	put_model_metrics(w, model->metrics);
	json_put_bool(w, "is_whole", is_whole);
}

static enum import_standing standing_of(const struct json_value *reply)
{
	struct slice state = json_text(reply, "state");
	if (slice_eq_cstr(state, "NONE"))
		return IMPORT_IS_NEW;
	return slice_eq_cstr(state, "PARTIAL") ? IMPORT_IS_KNOWN : IMPORT_IS_SAME;
}

bool import_sink_logged_model(struct import_sink *sink, const struct import_logged_model *model,
			      int64_t experiment_id, bool keeps_artifacts, bool is_whole,
			      struct arena *arena, enum import_standing *standing_out,
			      struct slice *uri_out, struct error *err)
{
	struct json_value *reply;
	*standing_out = IMPORT_IS_NEW;
	*uri_out = SLICE("-");
	if (sink->api_or_null == NULL)
		return true;
	write_logged_model(sink, model, experiment_id, keeps_artifacts, is_whole);
	if (!send(sink, "logged-model", &reply, err)) {
		if (!is_refusal(err))
			return false;
		*uri_out = (struct slice){0};
		import_report_add(sink->report, IMPORT_FAILED, "logged model", model->model_id,
				  "%s", err->message);
		return true;
	}
	*standing_out = standing_of(reply);
	*uri_out = arena_copy(arena, json_text(reply, "artifact_uri"));
	int64_t left_out = json_tree_i64(json_tree_get(reply, "metrics_left_out"), 0);
	if (left_out > 0)
		import_report_add(sink->report, IMPORT_FAILED, "logged model", model->model_id,
				  "%" PRId64 " of its metrics are of runs that are not here",
				  left_out);
	return true;
}

/* ---- registry --------------------------------------------------------------------------------- */

bool import_sink_model(struct import_sink *sink, const struct import_model *model, bool *taken_out,
		       struct error *err)
{
	struct json_value *reply;
	*taken_out = true;
	if (sink->api_or_null == NULL) {
		sink->report->counts.models++;
		return true;
	}
	struct json_writer *w = begin(sink);
	json_put_string(w, "name", model->name);
	json_put_string(w, "description", model->description);
	put_time(w, "creation_time", model->creation_time_ms);
	put_time(w, "last_updated_time", model->last_update_time_ms);
	put_pairs(w, "tags", model->tags);
	if (send(sink, "model", &reply, err)) {
		sink->report->counts.models += is_new(reply);
		return true;
	}
	if (!is_refusal(err))
		return false;
	*taken_out = false;
	import_report_add(sink->report, IMPORT_FAILED, "model", model->name, "%s", err->message);
	return true;
}

static void write_version(struct import_sink *sink, const struct import_model *model,
			  const struct import_version *version)
{
	struct json_writer *w = begin(sink);
	json_put_string(w, "name", model->name);
	put_id(w, "version", version->version);
	json_put_string(w, "description", version->description);
	json_put_string(w, "user_id", version->user_id);
	json_put_string(w, "stage", version->stage);
	json_put_string(w, "source", version->source);
	json_put_string(w, "storage_location", version->storage_location);
	json_put_string(w, "run_id", version->run_id);
	json_put_string(w, "run_link", version->run_link);
	json_put_string(w, "status", version->status);
	json_put_string(w, "status_message", version->status_message);
	put_time(w, "creation_time", version->creation_time_ms);
	put_time(w, "last_updated_time", version->last_update_time_ms);
	put_pairs(w, "tags", version->tags);
	json_key(w, "aliases");
	json_array_begin(w);
	for (size_t i = 0; i < model->aliases.count; i++) {
		if (model->aliases.items[i].version == version->version)
			json_string(w, model->aliases.items[i].alias);
	}
	json_array_end(w);
}

bool import_sink_version(struct import_sink *sink, const struct import_model *model,
			 const struct import_version *version, struct error *err)
{
	struct json_value *reply;
	if (sink->api_or_null == NULL) {
		sink->report->counts.versions++;
		return true;
	}
	write_version(sink, model, version);
	if (send(sink, "model-version", &reply, err)) {
		sink->report->counts.versions += is_new(reply);
		return true;
	}
	if (!is_refusal(err))
		return false;
	struct slice name = arena_printf(&sink->arena, "%.*s/%" PRId64, SLICE_FMT(model->name),
					 version->version);
	import_report_add(sink->report, IMPORT_FAILED, "model version", name, "%s", err->message);
	return true;
}

/* ---- artifacts -------------------------------------------------------------------------------- */

static bool is_there(struct import_sink *sink, const char *path, const char *sha256)
{
	struct json_value *reply;
	struct error ignored;
	struct slice url = arena_printf(&sink->arena, "/api/trackerd/v1/manifest/%s", path);
	if (!import_call(sink->api_or_null, "GET", url, (struct slice){0}, &sink->arena, &reply,
			 &ignored))
		return false; /* sending it will tell why */
	const struct json_value *file = json_items(json_tree_get(reply, "files"));
	return file != NULL && file->next_sibling_or_null == NULL &&
	       slice_eq_cstr(json_text(file, "sha256"), sha256);
}

static bool upload(struct import_sink *sink, const struct api_upload *request, struct error *err)
{
	struct json_value *reply;
	for (unsigned attempt = 1;; attempt++) {
		if (api_upload(sink->api_or_null, request, &sink->arena, &reply, err))
			return true;
		if (!import_may_try_again(err, attempt))
			return false;
	}
}

bool import_sink_artifact(struct import_sink *sink, struct slice root,
			  const struct import_artifact *artifact, int fd, bool may_be_there,
			  struct error *err)
{
	char sha256[SHA256_HEX_LEN + 1], etag[API_ETAG_BYTES];
	int64_t bytes;
	arena_reset(&sink->arena);
	const char *name = arena_cstr(&sink->arena, artifact->path);
	if (!sha256_of_file(fd, name, sha256, &bytes, err)) {
		import_report_add(sink->report, IMPORT_FAILED, "artifact", artifact->path, "%s",
				  err->message);
		return true;
	}
	if (sink->api_or_null != NULL) {
		const char *path = fetcher_encode_path(
			&sink->arena, arena_printf(&sink->arena, "%.*s/%.*s", SLICE_FMT(root),
						   SLICE_FMT(artifact->path)));
		const struct api_upload request = {
			.path = arena_printf(&sink->arena, "/api/2.0/mlflow-artifacts/artifacts/%s",
					     path),
			.fd = fd,
			.bytes = bytes,
			.sha256 = sha256,
			.etag_out = etag,
		};
		bool ok = (may_be_there && is_there(sink, path, sha256)) ||
			  upload(sink, &request, err);
		if (!ok && !is_refusal(err))
			return false;
		if (!ok) {
			import_report_add(sink->report, IMPORT_FAILED, "artifact", artifact->path,
					  "%s", err->message);
			return true;
		}
	}
	sink->report->counts.artifacts++;
	sink->report->counts.artifact_bytes += bytes;
	return true;
}

/* ---- requests --------------------------------------------------------------------------------- */

static struct json_writer *begin(struct import_sink *sink)
{
	buffer_reset(&sink->body);
	json_writer_init(&sink->w, &sink->body);
	json_object_begin(&sink->w);
	return &sink->w;
}

static bool send(struct import_sink *sink, const char *path, struct json_value **reply,
		 struct error *err)
{
	char url[64];
	json_object_end(&sink->w);
	(void)snprintf(url, sizeof(url), "/api/trackerd/v1/import/%s", path);
	arena_reset(&sink->arena);
	return buffer_check(&sink->body, "a part of the import", err) &&
	       import_call(sink->api_or_null, "POST", slice_from_cstr(url),
			   buffer_slice(&sink->body), &sink->arena, reply, err);
}

/* Is the server at odds with what was sent, rather than unable to take anything? */
static bool is_refusal(const struct error *err)
{
	static const enum error_code codes[] = {
		ERR_BAD_REQUEST,
		ERR_INVALID_PARAMETER_VALUE,
		ERR_RESOURCE_ALREADY_EXISTS,
		ERR_RESOURCE_DOES_NOT_EXIST,
		ERR_RESOURCE_CONFLICT,
		ERR_REQUEST_TOO_LARGE,
	};
	for (size_t i = 0; i < ARRAY_COUNT(codes); i++) {
		if (err->code == codes[i])
			return true;
	}
	return false;
}

static void put_pairs(struct json_writer *w, const char *key, struct import_pairs pairs)
{
	json_key(w, key);
	json_array_begin(w);
	for (size_t i = 0; i < pairs.count; i++) {
		json_object_begin(w);
		json_put_string(w, "key", pairs.items[i].key);
		json_put_string(w, "value", pairs.items[i].value);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_time(struct json_writer *w, const char *key, int64_t time_ms)
{
	if (time_ms >= 0)
		json_put_int(w, key, time_ms);
}

/* Ids are texts on the wire. */
static void put_id(struct json_writer *w, const char *key, int64_t id)
{
	char text[ID_BYTES_MAX];
	(void)snprintf(text, sizeof(text), "%" PRId64, id);
	json_put_cstr(w, key, text);
}
