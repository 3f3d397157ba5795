/* Owns the gathering of what is known of a model version. */
#include "api/version_facts.h"

#include <inttypes.h>

#include "api/model_validation.h"
#include "artifacts/artifact_path.h"
#include "store/key_values.h"
#include "store/model_lineage.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/runs.h"
#include "store/runs_load.h"

/* Holds the digest that was registered with the version. */
#define TREE_TAG SLICE("trackerd.tree_sha256")

static bool load_run(struct db *tracker, struct version_facts *facts, struct arena *arena,
		     struct error *err);
static void merge_metrics(struct version_facts *facts, struct arena *arena);
static void merge_params(struct version_facts *facts, struct arena *arena);
static bool load_files(struct db *tracker, enum version_files files, struct version_facts *facts,
		       struct arena *arena, struct error *err);

bool version_facts_load(struct db *tracker, struct slice name, int64_t number,
			enum version_files files, struct arena *arena, struct version_facts *out,
			struct error *err)
{
	*out = (struct version_facts){.tree_sha256 = SLICE("")};
	if (!model_version_load(tracker, name, number, arena, &out->version, err) ||
	    !model_lineage_load(tracker, &out->version, arena, err) ||
	    !load_run(tracker, out, arena, err))
		return false;
	merge_metrics(out, arena);
	merge_params(out, arena);
	return files == VERSION_FILES_NONE || load_files(tracker, files, out, arena, err);
}

/* ---- the run and the logged model --------------------------------------------------------------- */

static bool load_run(struct db *tracker, struct version_facts *facts, struct arena *arena,
		     struct error *err)
{
	struct run_ref ref;
	bool found = false;
	if (facts->version.run_id.len == 0)
		return true;
	if (!run_find_if_any(tracker, facts->version.run_id, &ref, &found, err))
		return false;
	if (!found)
		return true;
	struct run *run = ARENA_NEW(arena, struct run, 1);
	facts->run_or_null = run;
	return runs_load(tracker, &ref.pk, 1, arena, run, err);
}

static void add_metric(struct version_metric_list *list, const struct metric *metric,
		       const char *origin)
{
	list->items[list->count++] = (struct version_metric){metric->key, metric->value, origin};
}

/* Points of the logged model stand by name and time: the last of a name is the newest. */
static size_t newest_point(const struct logged_model_metric_list *points, size_t first)
{
	size_t last = first;
	while (last + 1 < points->count &&
	       slice_eq(points->items[last + 1].point.key, points->items[first].point.key))
		last++;
	return last;
}

static void merge_metrics(struct version_facts *facts, struct arena *arena)
{
	const struct logged_model *model = facts->version.logged_model_or_null;
	const struct logged_model_metric_list none = {0};
	const struct logged_model_metric_list *own = model != NULL ? &model->metrics : &none;
	struct metric_list of_run = {0};
	if (facts->run_or_null != NULL)
		of_run = facts->run_or_null->metrics;
	facts->metrics.items =
		ARENA_NEW(arena, struct version_metric, own->count + of_run.count + 1);
	for (size_t i = 0, j = 0; i < own->count || j < of_run.count;) {
		int order = i == own->count ? 1
			    : j == of_run.count
				    ? -1
				    : slice_compare(own->items[i].point.key, of_run.items[j].key);
		if (order > 0) {
			add_metric(&facts->metrics, &of_run.items[j++], ORIGIN_RUN);
			continue;
		}
		i = newest_point(own, i);
		add_metric(&facts->metrics, &own->items[i++].point, ORIGIN_MODEL);
		j += order == 0;
	}
}

static void merge_params(struct version_facts *facts, struct arena *arena)
{
	const struct key_value_list none = {0};
	const struct logged_model *model = facts->version.logged_model_or_null;
	struct key_value_list own = model != NULL ? model->params : none;
	struct key_value_list of_run =
		facts->run_or_null != NULL ? facts->run_or_null->params : none;
	struct version_param_list *list = &facts->params;
	list->items = ARENA_NEW(arena, struct version_param, own.count + of_run.count + 1);
	for (size_t i = 0, j = 0; i < own.count || j < of_run.count;) {
		int order = i == own.count ? 1
			    : j == of_run.count
				    ? -1
				    : slice_compare(own.items[i].key, of_run.items[j].key);
		const struct key_value *item = order > 0 ? &of_run.items[j] : &own.items[i];
		list->items[list->count++] = (struct version_param){
			item->key, item->value, order > 0 ? ORIGIN_RUN : ORIGIN_MODEL};
		i += order <= 0;
		j += order >= 0;
	}
}

/* ---- files -------------------------------------------------------------------------------------- */

static bool list_files(struct db *tracker, struct slice path, struct version_facts *facts,
		       struct arena *arena, struct error *err)
{
	unsigned char digest[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	if (!artifact_tree_load(tracker, path, arena, &facts->files, err) ||
	    !artifact_tree_digest(&facts->files, digest, &facts->sums.byte_count, err))
		return false;
	facts->sums.file_count = (int64_t)facts->files.count;
	digest_hex(digest, hex);
	if (facts->files.count > 0)
		facts->tree_sha256 = arena_copy(arena, slice_from_cstr(hex));
	return true;
}

static bool load_files(struct db *tracker, enum version_files files, struct version_facts *facts,
		       struct arena *arena, struct error *err)
{
	char quoted[200];
	struct slice path;
	struct error foreign;
	struct slice location = facts->version.storage_location.len > 0
					? facts->version.storage_location
					: facts->version.source;
	if (!artifact_path_from_uri(location, arena, &path, &foreign) || path.len == 0) {
		facts->no_files_or_absent =
			arena_printf(arena, "its files are not kept here, but at %s",
				     error_quote(location, quoted, sizeof(quoted)));
		return true;
	}
	if (!(files == VERSION_FILES_LISTED
		      ? list_files(tracker, path, facts, arena, err)
		      : artifact_tree_sum(tracker, path, arena, &facts->sums, err)))
		return false;
	if (facts->sums.file_count == 0)
		facts->no_files_or_absent = arena_printf(arena, "there are no files at %s",
							 error_quote(path, quoted, sizeof(quoted)));
	return true;
}

/* ---- figures ------------------------------------------------------------------------------------ */

/* "run ab has no such metric" */
static struct slice where_it_is_not(const struct version_facts *facts, const char *what,
				    struct arena *arena)
{
	const struct model_version *v = &facts->version;
	char run[48], model[48];
	(void)error_quote(v->run_id, run, sizeof(run));
	(void)error_quote(v->model_id, model, sizeof(model));
	if (v->run_id.len == 0 && v->logged_model_or_null == NULL)
		return arena_printf(arena, "version %" PRId64 " names no run", v->version);
	if (v->run_id.len == 0)
		return arena_printf(arena, "logged model %s has no such %s", model, what);
	if (facts->run_or_null == NULL)
		return arena_printf(arena, "run %s is not here", run);
	if (v->logged_model_or_null == NULL)
		return arena_printf(arena, "run %s has no such %s", run, what);
	return arena_printf(arena, "neither logged model %s nor run %s has such a %s", model, run,
			    what);
}

static struct requirement_figure metric_figure(const struct version_facts *facts, struct slice key,
					       struct arena *arena)
{
	for (size_t i = 0; i < facts->metrics.count; i++) {
		const struct version_metric *metric = &facts->metrics.items[i];
		if (slice_eq(metric->key, key))
			return (struct requirement_figure){.is_known = true,
							   .number = metric->value,
							   .origin = metric->origin};
	}
	return (struct requirement_figure){.why = where_it_is_not(facts, "metric", arena)};
}

static struct requirement_figure param_figure(const struct version_facts *facts, struct slice key,
					      struct arena *arena)
{
	for (size_t i = 0; i < facts->params.count; i++) {
		const struct version_param *param = &facts->params.items[i];
		if (slice_eq(param->key, key))
			return (struct requirement_figure){
				.is_known = true, .text = param->value, .origin = param->origin};
	}
	return (struct requirement_figure){.why = where_it_is_not(facts, "parameter", arena)};
}

static struct requirement_figure tag_figure(const struct version_facts *facts, struct slice key,
					    struct arena *arena)
{
	const struct key_value *tag = key_values_find(facts->version.tags, key);
	if (tag != NULL)
		return (struct requirement_figure){
			.is_known = true, .text = tag->value, .origin = ORIGIN_VERSION};
	return (struct requirement_figure){
		.why = arena_printf(arena, "version %" PRId64 " has no such tag",
				    facts->version.version)};
}

static struct requirement_figure digest_figure(const struct version_facts *facts,
					       struct arena *arena)
{
	const struct key_value *tag = key_values_find(facts->version.tags, TREE_TAG);
	char registered[SHA256_HEX_LEN + 1];
	if (tag != NULL && !slice_eq_ignoring_case(tag->value, facts->tree_sha256))
		return (struct requirement_figure){
			.why = arena_printf(
				arena,
				"the files are not those that were registered with "
				"SHA-256 %s",
				error_quote(tag->value, registered, sizeof(registered)))};
	return (struct requirement_figure){
		.is_known = true, .text = facts->tree_sha256, .origin = ORIGIN_FILES};
}

struct requirement_figure version_facts_figure(const struct version_facts *facts,
					       const struct requirement *requirement,
					       struct arena *arena)
{
	bool is_number =
		requirement->kind == REQUIREMENT_SIZE || requirement->kind == REQUIREMENT_FILES;
	if (requirement->kind == REQUIREMENT_METRIC)
		return metric_figure(facts, requirement->key, arena);
	if (requirement->kind == REQUIREMENT_PARAM)
		return param_figure(facts, requirement->key, arena);
	if (requirement->kind == REQUIREMENT_TAG)
		return tag_figure(facts, requirement->key, arena);
	if (slice_is_present(facts->no_files_or_absent))
		return (struct requirement_figure){.why = facts->no_files_or_absent};
	if (!is_number)
		return digest_figure(facts, arena);
	return (struct requirement_figure){.is_known = true,
					   .number = requirement->kind == REQUIREMENT_SIZE
							     ? (double)facts->sums.byte_count
							     : (double)facts->sums.file_count,
					   .origin = ORIGIN_FILES};
}

/* ---- which version ------------------------------------------------------------------------------ */

bool version_number_resolve(struct db *tracker, struct slice name, const char *parameter,
			    struct slice text, int64_t *number_out, struct error *err)
{
	struct model_pk pk;
	char quoted[300];
	if (text.len == 0 || text.ptr[0] != '@') {
		if (slice_parse_i64(text, number_out) && *number_out > 0)
			return true;
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Parameter '%s' must be a version such as 3, or an alias such as "
				 "@champion, got '%s'.",
				 parameter, error_quote(text, quoted, sizeof(quoted)));
	}
	struct slice alias = slice_from(text, 1);
	if (!model_check_alias(alias, err) || !model_find(tracker, name, &pk, err))
		return false;
	if (model_alias_find(tracker, pk, name, alias, number_out, err))
		return true;
	if (err->code ==
	    ERR_INVALID_PARAMETER_VALUE) /* MLflow's code for an alias that is not there */
		err->code = ERR_RESOURCE_DOES_NOT_EXIST;
	return false;
}
