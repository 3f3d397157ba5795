/* Owns the logged models and the registry of a file store. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/mlruns.h"

/* What MLflow leaves of a version that was deleted. */
#define DELETED_STAGE "Deleted_Internal"

/* ---- logged models --------------------------------------------------------------------------- */

static struct slice status_of(const struct json_value *meta)
{
	static const char *const names[] = {"PENDING", "PENDING", "READY", "UPLOAD_FAILED"};
	const struct json_value *status = json_tree_get(meta, "status");
	int64_t number = json_tree_i64(status, 0);
	if (status != NULL && status->kind == JSON_KIND_STRING)
		return status->text;
	return slice_from_cstr(
		names[number >= 0 && number < (int64_t)ARRAY_COUNT(names) ? number : 0]);
}

/* "timestamp value step run", and perhaps the dataset's name and digest. */
static bool parse_metric(struct slice line, struct import_model_metric *out, struct arena *arena)
{
	struct slice rest, run_id, name = {0}, digest = {0};
	if (!mlruns_parse_point(line, &out->point, &rest) || !slice_next(&rest, ' ', &run_id))
		return false;
	if (slice_next(&rest, ' ', &name) && !slice_next(&rest, ' ', &digest))
		return false;
	out->run_id = arena_copy(arena, run_id);
	out->dataset_name = arena_copy(arena, name);
	out->dataset_digest = arena_copy(arena, digest);
	return slice_is_utf8(run_id) && slice_is_utf8(name) && slice_is_utf8(digest);
}

static void read_curve(struct mlruns *m, struct mlruns_curve *c, struct import_model_metrics *list,
		       struct arena *arena)
{
	struct slice key = arena_copy(arena, c->key), line;
	while (slice_is_present(line = mlruns_curve_line(c))) {
		struct import_model_metric metric = {.point = {.key = key}};
		if (parse_metric(line, &metric, arena)) {
			import_model_metrics_add(list, metric, arena);
			c->point_count++;
		} else {
			mlruns_curve_bad(c);
		}
	}
	mlruns_curve_close(m, c);
}

static struct import_model_metrics read_metrics(struct mlruns *m, struct arena *arena)
{
	struct import_model_metrics list = {0};
	struct import_artifact file;
	mlruns_metrics_open(m, arena);
	while (import_files_next(&m->metrics, arena, &file)) {
		if (mlruns_curve_open(&m->curve, &m->metrics, file.path))
			read_curve(m, &m->curve, &list, arena);
	}
	import_files_close(&m->metrics);
	return list;
}

static bool read_logged_model(struct mlruns *m, const char *folder, const char *name,
			      struct arena *arena, struct import_logged_model *out)
{
	const struct json_value *meta = mlruns_meta(m, folder, "logged model", arena);
	if (meta == NULL)
		return false;
	if (!slice_eq_cstr(mlruns_text(meta, "model_id"), name)) {
		mlruns_tell(m, "logged model", folder, "its meta.yaml is of another model");
		return false;
	}
	mlruns_set_owner(m, folder, mlruns_text(meta, "artifact_location"));
	const char *tags = arena_cstr(arena, arena_printf(arena, "%s/tags", folder)),
		   *params = arena_cstr(arena, arena_printf(arena, "%s/params", folder));
	*out = (struct import_logged_model){
		.model_id = mlruns_text(meta, "model_id"),
		.name = mlruns_text(meta, "name"),
		.type = mlruns_text(meta, "model_type"),
		.source_run_id = mlruns_text(meta, "source_run_id"),
		.status = status_of(meta),
		.status_message = mlruns_text(meta, "status_message"),
		.artifact_uri = mlruns_text(meta, "artifact_location"),
		.creation_time_ms = mlruns_time(meta, "creation_timestamp"),
		.last_update_time_ms = mlruns_time(meta, "last_updated_timestamp"),
		.is_deleted = slice_eq_cstr(mlruns_text(meta, "lifecycle_stage"), "deleted"),
		.tags = mlruns_pairs(m, tags, "tag", arena),
		.params = mlruns_pairs(m, params, "param", arena),
		.metrics = read_metrics(m, arena),
	};
	return true;
}

bool mlruns_next_logged_model(struct import_source *s, struct arena *arena,
			      struct import_logged_model *out, bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	char models[MLRUNS_PATH_BYTES_MAX], folder[MLRUNS_PATH_BYTES_MAX];
	const char *name;
	(void)err;
	mlruns_forget_owner(m);
	*found_out = false;
	if (!mlruns_join(m, models, m->experiment, "models"))
		return true;
	if (m->logged_or_null == NULL && mlruns_has_folder(m, models, "logged model"))
		m->logged_or_null = mlruns_open_folder(m, models, "logged model");
	while (!*found_out && m->logged_or_null != NULL &&
	       (name = mlruns_next_folder(m, m->logged_or_null, models, "logged model")) != NULL) {
		if (mlruns_join(m, folder, models, name))
			*found_out = read_logged_model(
				m, folder, arena_cstr(arena, slice_from_cstr(name)), arena, out);
	}
	return true;
}

/* ---- registered models ----------------------------------------------------------------------- */

static int compare_versions(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static bool add_version(struct mlruns *m, int64_t version)
{
	if ((m->version_count & (m->version_count - 1)) == 0) { /* full: 0, 1, 2, 4 … */
		size_t capacity = m->version_count == 0 ? 1 : 2 * m->version_count;
		int64_t *larger = reallocarray(m->versions, capacity, sizeof(*larger));
		if (larger == NULL)
			return false;
		m->versions = larger;
	}
	m->versions[m->version_count++] = version;
	return true;
}

/* The numbers of the folders "version-N". */
static bool list_versions(struct mlruns *m, struct error *err)
{
	static const struct slice prefix = {"version-", 8};
	DIR *directory = mlruns_open_folder(m, m->model, "registered model");
	const char *name;
	bool ok = true;
	m->version_count = m->version_index = 0;
	while (ok && directory != NULL &&
	       (name = mlruns_next_folder(m, directory, m->model, "model version")) != NULL) {
		struct slice text = slice_from_cstr(name);
		int64_t version;
		if (slice_starts_with(text, prefix) &&
		    slice_parse_i64(slice_from(text, prefix.len), &version))
			ok = add_version(m, version);
	}
	mlruns_close_folder(&directory);
	if (m->version_count > 1)
		qsort(m->versions, m->version_count, sizeof(*m->versions), compare_versions);
	return ok || error_set(err, ERR_INTERNAL_ERROR, "out of memory");
}

static struct import_aliases read_aliases(struct mlruns *m, struct arena *arena)
{
	struct import_aliases aliases = {0};
	const char *folder = arena_cstr(arena, arena_printf(arena, "%s/aliases", m->model));
	struct import_pairs pairs = mlruns_pairs(m, folder, "alias", arena);
	for (size_t i = 0; i < pairs.count; i++) {
		int64_t version;
		if (slice_parse_i64(slice_trim(pairs.items[i].value), &version)) {
			import_aliases_add(&aliases,
					   (struct import_alias){pairs.items[i].key, version},
					   arena);
			continue;
		}
		const char *name = arena_cstr(arena, arena_printf(arena, "%s/%.*s", folder,
								  SLICE_FMT(pairs.items[i].key)));
		mlruns_tell(m, "alias", name, "it names no version");
	}
	return aliases;
}

static bool read_model(struct mlruns *m, struct arena *arena, struct import_model *out,
		       bool *found_out, struct error *err)
{
	const struct json_value *meta = mlruns_meta(m, m->model, "registered model", arena);
	*found_out = meta != NULL;
	if (meta == NULL)
		return true;
	const char *tags = arena_cstr(arena, arena_printf(arena, "%s/tags", m->model));
	*out = (struct import_model){
		.name = mlruns_text(meta, "name"),
		.description = mlruns_text(meta, "description"),
		.creation_time_ms = mlruns_time(meta, "creation_timestamp"),
		.last_update_time_ms = mlruns_time(meta, "last_updated_timestamp"),
		.tags = mlruns_pairs(m, tags, "tag", arena),
		.aliases = read_aliases(m, arena),
	};
	return list_versions(m, err);
}

bool mlruns_next_model(struct import_source *s, struct arena *arena, struct import_model *out,
		       bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	const char *name;
	mlruns_forget_owner(m);
	m->version_count = m->version_index = 0;
	if (m->registry_or_null == NULL && mlruns_has_folder(m, "models", "registered model"))
		m->registry_or_null = mlruns_open_folder(m, "models", "registered model");
	*found_out = false;
	while (!*found_out && m->registry_or_null != NULL &&
	       (name = mlruns_next_folder(m, m->registry_or_null, "models", "registered model")) !=
		       NULL) {
		if (mlruns_join(m, m->model, "models", name) &&
		    !read_model(m, arena, out, found_out, err))
			return false;
	}
	return true;
}

/* ---- versions -------------------------------------------------------------------------------- */

static bool read_version(struct mlruns *m, int64_t number, struct arena *arena,
			 struct import_version *out)
{
	const char *folder =
		arena_cstr(arena, arena_printf(arena, "%s/version-%" PRId64, m->model, number));
	const struct json_value *meta = mlruns_meta(m, folder, "model version", arena);
	if (meta == NULL || slice_eq_cstr(mlruns_text(meta, "current_stage"), DELETED_STAGE))
		return false;
	if (json_tree_i64(json_tree_get(meta, "version"), -1) != number) {
		mlruns_tell(m, "model version", folder, "its meta.yaml is of another version");
		return false;
	}
	const char *tags = arena_cstr(arena, arena_printf(arena, "%s/tags", folder));
	*out = (struct import_version){
		.version = number,
		.description = mlruns_text(meta, "description"),
		.user_id = mlruns_text(meta, "user_id"),
		.stage = mlruns_text(meta, "current_stage"),
		.source = mlruns_text(meta, "source"),
		.storage_location = mlruns_text(meta, "storage_location"),
		.run_id = mlruns_text(meta, "run_id"),
		.run_link = mlruns_text(meta, "run_link"),
		.status = mlruns_text(meta, "status"),
		.status_message = mlruns_text(meta, "status_message"),
		.creation_time_ms = mlruns_time(meta, "creation_timestamp"),
		.last_update_time_ms = mlruns_time(meta, "last_updated_timestamp"),
		.tags = mlruns_pairs(m, tags, "tag", arena),
	};
	return true;
}

bool mlruns_next_version(struct import_source *s, struct arena *arena, struct import_version *out,
			 bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	(void)err;
	*found_out = false;
	while (!*found_out && m->version_index < m->version_count)
		*found_out = read_version(m, m->versions[m->version_index++], arena, out);
	return true;
}
