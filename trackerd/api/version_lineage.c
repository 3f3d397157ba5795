/* Owns the lineage of a model version: its run, data, code, the runs above it, its logged model, where it runs. */
#include "api/version_lineage.h"

#include "api/deployment_json.h"
#include "api/entity_json.h"
#include "api/logged_model_json.h"
#include "api/model_validation.h"
#include "api/version_facts.h"
#include "api/version_json.h"
#include "store/deployments.h"
#include "store/runs.h"
#include "store/runs_load.h"
#include "store/snapshot.h"

/* Runs above a run: MLflow nests them one in another, and a loop of tags must end. */
enum { PARENTS_MAX = 16, DEPLOYMENTS_SHOWN_MAX = 1000 };

#define PARENT_TAG SLICE("mlflow.parentRunId")

struct lineage_request {
	struct slice version, alias; /* one of the two */
};

static const struct field lineage_fields[] = {
	FIELD_TEXT(struct lineage_request, version, FIELD_OPTIONAL),
	FIELD_TEXT(struct lineage_request, alias, FIELD_OPTIONAL),
	FIELDS_END,
};

struct lineage {
	struct version_facts facts;
	struct run parents[PARENTS_MAX]; /* nearest first */
	size_t parent_count;
	struct slice missing_parent_or_absent; /* the id of one that is not here */
	struct deployment_list deployments;
};

/* ---- reading ------------------------------------------------------------------------------------ */

static bool lineage_check(struct call *call, struct error *err)
{
	const struct lineage_request *r = call->request;
	bool has_version = slice_is_present(r->version), has_alias = slice_is_present(r->alias);
	if (has_version == has_alias)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Give either 'version' or 'alias'.");
	return model_check_name(call->path_arguments[0], err);
}

static bool load_parent(struct call *call, struct db *tracker, struct lineage *lineage,
			struct slice parent_id, bool *found, struct error *err)
{
	struct run_ref ref;
	for (size_t i = 0; i < lineage->parent_count; i++) {
		if (slice_eq(lineage->parents[i].run_id, parent_id))
			return true; /* *found stays false: it goes round in circles */
	}
	if (!run_find_if_any(tracker, parent_id, &ref, found, err))
		return false;
	if (!*found) {
		lineage->missing_parent_or_absent = parent_id;
		return true;
	}
	return runs_load(tracker, &ref.pk, 1, call->arena,
			 &lineage->parents[lineage->parent_count++], err);
}

static bool load_parents(struct call *call, struct db *tracker, struct lineage *lineage,
			 struct error *err)
{
	const struct run *run = lineage->facts.run_or_null;
	while (run != NULL && lineage->parent_count < PARENTS_MAX) {
		struct slice parent_id = version_json_run_tag(run, PARENT_TAG);
		bool found = false;
		if (parent_id.len == 0 || slice_eq(parent_id, lineage->facts.run_or_null->run_id))
			return true;
		if (!load_parent(call, tracker, lineage, parent_id, &found, err))
			return false;
		run = found ? &lineage->parents[lineage->parent_count - 1] : NULL;
	}
	return true;
}

static bool load_all(struct call *call, struct db *tracker, struct lineage *lineage,
		     struct error *err)
{
	const struct lineage_request *r = call->request;
	struct slice name = call->path_arguments[0];
	bool has_alias = slice_is_present(r->alias);
	struct slice text =
		has_alias ? arena_concat(call->arena, SLICE("@"), r->alias) : r->version;
	int64_t number = 0;
	return version_number_resolve(tracker, name, has_alias ? "alias" : "version", text, &number,
				      err) &&
	       version_facts_load(tracker, name, number, VERSION_FILES_LISTED, call->arena,
				  &lineage->facts, err) &&
	       load_parents(call, tracker, lineage, err) &&
	       deployments_of_version(tracker, name, number, DEPLOYMENTS_SHOWN_MAX, call->arena,
				      &lineage->deployments, err);
}

static bool lineage_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct lineage *lineage = ARENA_NEW(call->arena, struct lineage, 1);
	call->result = lineage;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && load_all(call, tracker, lineage, err);
	snapshot_release(snapshot);
	return ok;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static void put_run(struct json_writer *w, const struct lineage *lineage)
{
	json_key(w, "run");
	if (lineage->facts.run_or_null != NULL)
		entity_json_run(w, lineage->facts.run_or_null);
	else
		json_null(w);
}

static void put_datasets(struct json_writer *w, const struct run *run)
{
	json_key(w, "datasets");
	json_array_begin(w);
	for (size_t i = 0; run != NULL && i < run->inputs.count; i++) {
		const struct dataset_input *input = &run->inputs.items[i];
		json_object_begin(w);
		json_put_string(w, "name", input->name);
		json_put_string(w, "digest", input->digest);
		json_put_string(w, "context", version_json_context(input));
		json_put_string(w, "source_type", input->source_type);
		json_put_string(w, "source", input->source);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_code(struct json_writer *w, const struct run *run)
{
	static const struct {
		const char *member, *tag;
	} rows[] = {
		{"git_commit", "mlflow.source.git.commit"},
		{"git_repository", "mlflow.source.git.repoURL"},
		{"git_branch", "mlflow.source.git.branch"},
		{"source_name", "mlflow.source.name"},
		{"source_type", "mlflow.source.type"},
	};
	json_key(w, "code");
	json_object_begin(w);
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++)
		json_put_string(w, rows[i].member,
				version_json_run_tag(run, slice_from_cstr(rows[i].tag)));
	json_object_end(w);
}

static void put_parents(struct json_writer *w, const struct lineage *lineage)
{
	json_key(w, "parents");
	json_array_begin(w);
	for (size_t i = 0; i < lineage->parent_count; i++) {
		const struct run *run = &lineage->parents[i];
		json_object_begin(w);
		json_put_string(w, "run_id", run->run_id);
		json_put_string(w, "run_name", run->name);
		entity_json_put_id(w, "experiment_id", run->experiment_id);
		json_put_string(w, "status", run->status);
		json_put_string(w, "user_id", run->user_id);
		json_put_int(w, "start_time_ms", run->start_time_ms);
		json_put_bool(w, "is_deleted", run->is_deleted);
		json_object_end(w);
	}
	json_array_end(w);
	json_put_string(w, "missing_parent", slice_or_empty(lineage->missing_parent_or_absent));
}

static void put_logged_model(struct json_writer *w, const struct model_version *version)
{
	json_key(w, "logged_model");
	if (version->logged_model_or_null != NULL)
		logged_model_json(w, version->logged_model_or_null);
	else
		json_null(w);
}

static void put_deployments(struct json_writer *w, const struct deployment_list *deployments)
{
	json_key(w, "deployments");
	json_array_begin(w);
	for (size_t i = 0; i < deployments->count; i++)
		deployment_json(w, &deployments->items[i]);
	json_array_end(w);
}

static void lineage_encode(const struct call *call, struct json_writer *w)
{
	const struct lineage *lineage = call->result;
	const struct version_facts *facts = &lineage->facts;
	json_object_begin(w);
	json_put_string(w, "model", facts->version.name);
	json_key(w, "version");
	version_json_summary(w, facts);
	put_run(w, lineage);
	put_datasets(w, facts->run_or_null);
	put_code(w, facts->run_or_null);
	put_parents(w, lineage);
	put_logged_model(w, &facts->version);
	put_deployments(w, &lineage->deployments);
	json_object_end(w);
}

const struct endpoint version_lineage = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = lineage_fields,
	.request_bytes = sizeof(struct lineage_request),
	.check = lineage_check,
	.execute = lineage_execute,
	.encode = lineage_encode,
	.summary = "Show where a model version comes from and runs",
};
