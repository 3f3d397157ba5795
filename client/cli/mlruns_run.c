/* Owns the runs of a file store: description, tags, params, datasets, models; of every era. */
#include <stdio.h>
#include <string.h>

#include "cli/mlruns.h"

/* ---- description ----------------------------------------------------------------------------- */

/* Numbers until today; names are what people write by hand. */
static struct slice status_of(const struct json_value *meta)
{
	static const char *const names[] = {NULL,	"RUNNING", "SCHEDULED",
					    "FINISHED", "FAILED",  "KILLED"};
	const struct json_value *status = json_tree_get(meta, "status");
	int64_t number = json_tree_i64(status, -1);
	if (number > 0 && number < (int64_t)ARRAY_COUNT(names))
		return slice_from_cstr(names[number]);
	struct slice name = json_tree_string(status, SLICE(""));
	for (size_t i = 1; i < ARRAY_COUNT(names); i++) {
		if (slice_eq_ignoring_case(name, slice_from_cstr(names[i])))
			return slice_from_cstr(names[i]);
	}
	return SLICE("RUNNING"); /* as MLflow takes it */
}

/* "deleted", or the number of the time before names. */
static bool is_deleted(const struct json_value *meta)
{
	enum { DELETED = 2 };
	const struct json_value *stage = json_tree_get(meta, "lifecycle_stage");
	return slice_eq_ignoring_case(json_tree_string(stage, SLICE("")), SLICE("deleted")) ||
	       (stage != NULL && stage->kind == JSON_KIND_NUMBER &&
		json_tree_i64(stage, 0) == DELETED);
}

static bool has_key(const struct import_pairs *pairs, const char *key)
{
	size_t i = 0;
	while (i < pairs->count && !slice_eq_cstr(pairs->items[i].key, key))
		i++;
	return i < pairs->count;
}

/* What the first releases kept in meta.yaml, and all later ones as tags. */
static void add_old_tags(const struct json_value *meta, struct import_pairs *tags,
			 struct arena *arena)
{
	static const char *const types[] = {NULL, "NOTEBOOK", "JOB", "PROJECT", "LOCAL"};
	static const struct {
		const char *member, *tag;
	} moved[] = {
		{"source_name", "mlflow.source.name"},
		{"source_version", "mlflow.source.git.commit"},
		{"entry_point_name", "mlflow.project.entryPoint"},
	};
	bool had_any = false;
	for (size_t i = 0; i < ARRAY_COUNT(moved); i++) {
		struct slice value = mlruns_text(meta, moved[i].member);
		if (value.len == 0 || has_key(tags, moved[i].tag))
			continue;
		had_any = true;
		import_pairs_add(tags, slice_from_cstr(moved[i].tag), value, arena);
	}
	int64_t type = json_tree_i64(json_tree_get(meta, "source_type"), 0);
	if (had_any && type > 0 && type < (int64_t)ARRAY_COUNT(types) &&
	    !has_key(tags, "mlflow.source.type"))
		import_pairs_add(tags, SLICE("mlflow.source.type"), slice_from_cstr(types[type]),
				 arena);
	const struct json_value *list = json_tree_get(meta, "tags");
	const struct json_value *tag = list != NULL ? list->first_child_or_null : NULL;
	for (; tag != NULL; tag = tag->next_sibling_or_null) {
		struct slice key = mlruns_text(tag, "key");
		if (key.len > 0 && !has_key(tags, arena_cstr(arena, key)))
			import_pairs_add(tags, key,
					 slice_is_present(mlruns_text(tag, "value"))
						 ? mlruns_text(tag, "value")
						 : SLICE(""),
					 arena);
	}
	mlruns_sort(*tags);
}

/* ---- inputs and outputs ---------------------------------------------------------------------- */

static void add_dataset(struct mlruns *m, const char *link, const struct json_value *meta,
			struct import_run *out, struct arena *arena)
{
	struct slice id = mlruns_text(meta, "source_id");
	const char *folder = arena_cstr(
		arena, arena_printf(arena, "%s/datasets/%.*s", m->experiment, SLICE_FMT(id)));
	if (id.len == 0 || memchr(id.ptr, '/', id.len) != NULL || id.ptr[0] == '.') {
		mlruns_tell(m, "dataset", link, "its meta.yaml names no dataset");
		return;
	}
	const struct json_value *dataset = mlruns_meta(m, folder, "dataset", arena);
	if (dataset == NULL)
		return;
	import_datasets_add(&out->datasets,
			    (struct import_dataset){
				    .name = mlruns_text(dataset, "name"),
				    .digest = mlruns_text(dataset, "digest"),
				    .source_type = mlruns_text(dataset, "source_type"),
				    .source = mlruns_text(dataset, "source"),
				    .schema = mlruns_text(dataset, "schema"),
				    .profile = mlruns_text(dataset, "profile"),
				    .tags = mlruns_map(json_tree_get(meta, "tags"), arena),
			    },
			    arena);
}

static void add_input(struct mlruns *m, const char *link, const struct json_value *meta,
		      struct import_run *out, struct arena *arena)
{
	struct slice type = mlruns_text(meta, "source_type");
	if (slice_eq_cstr(type, "MODEL"))
		import_model_links_add(
			&out->model_inputs,
			(struct import_model_link){mlruns_text(meta, "source_id"), 0}, arena);
	else
		add_dataset(m, link, meta, out, arena);
}

static void add_output(struct mlruns *m, const char *link, const struct json_value *meta,
		       struct import_run *out, struct arena *arena)
{
	(void)m, (void)link;
	import_model_links_add(
		&out->model_outputs,
		(struct import_model_link){mlruns_text(meta, "destination_id"),
					   json_tree_i64(json_tree_get(meta, "step"), 0)},
		arena);
}

/* Each folder below one of the run's, which holds a meta.yaml. */
static void each_link(struct mlruns *m, const char *name, const char *kind,
		      void (*add)(struct mlruns *, const char *, const struct json_value *,
				  struct import_run *, struct arena *),
		      struct import_run *out, struct arena *arena)
{
	char folder[MLRUNS_PATH_BYTES_MAX], link[MLRUNS_PATH_BYTES_MAX];
	if (!mlruns_join(m, folder, m->owner, name) || !mlruns_has_folder(m, folder, kind))
		return;
	DIR *directory = mlruns_open_folder(m, folder, kind);
	const char *id;
	while (directory != NULL && (id = mlruns_next_folder(m, directory, folder, kind)) != NULL) {
		if (!mlruns_join(m, link, folder, id))
			continue;
		const struct json_value *meta = mlruns_meta(m, link, kind, arena);
		if (meta != NULL)
			add(m, link, meta, out, arena);
	}
	mlruns_close_folder(&directory);
}

/* ---- the run --------------------------------------------------------------------------------- */

static bool is_reserved(const char *name)
{
	static const char *const names[] = {"tags", "datasets", "traces", "models"};
	size_t i = 0;
	while (i < ARRAY_COUNT(names) && strcmp(names[i], name) != 0)
		i++;
	return i < ARRAY_COUNT(names);
}

/* Folders of artifacts may stand among the runs; those are none. */
static bool looks_like_run(struct mlruns *m, const char *folder, const char *name)
{
	static const char *const parts[] = {"metrics", "params", "tags"};
	char path[MLRUNS_PATH_BYTES_MAX];
	size_t len = strlen(name);
	if (len == 32 && strspn(name, "0123456789abcdef") == len)
		return true;
	for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
		if (mlruns_join(m, path, folder, parts[i]) && mlruns_is_folder(m, path))
			return true;
	}
	return mlruns_join(m, path, folder, "meta.yaml") && mlruns_has(m, path);
}

static bool read_run(struct mlruns *m, const char *folder, const char *name, struct arena *arena,
		     struct import_run *out)
{
	const struct json_value *meta = mlruns_meta(m, folder, "run", arena);
	if (meta == NULL)
		return false;
	struct slice id = mlruns_text(meta, "run_id");
	if (id.len == 0)
		id = mlruns_text(meta, "run_uuid"); /* before 1.0 */
	if (!slice_eq_cstr(id, name)) {
		mlruns_tell(m, "run", folder, "its meta.yaml is of another run, \"%.*s\"",
			    SLICE_FMT(slice_first(id, 64)));
		return false;
	}
	mlruns_set_owner(m, folder, mlruns_text(meta, "artifact_uri"));
	const char *tags = arena_cstr(arena, arena_printf(arena, "%s/tags", folder)),
		   *params = arena_cstr(arena, arena_printf(arena, "%s/params", folder)),
		   *metrics = arena_cstr(arena, arena_printf(arena, "%s/metrics", folder));
	struct slice run_name = mlruns_text(meta, "run_name");
	*out = (struct import_run){
		.run_id = id,
		.name = run_name.len > 0 ? run_name : mlruns_text(meta, "name"),
		.user_id = mlruns_text(meta, "user_id"),
		.status = status_of(meta),
		.start_time_ms = mlruns_time(meta, "start_time"),
		.end_time_ms = mlruns_time(meta, "end_time"),
		.deleted_time_ms = mlruns_time(meta, "deleted_time"),
		.is_deleted = is_deleted(meta),
		.artifact_uri = mlruns_text(meta, "artifact_uri"),
		.tags = mlruns_pairs(m, tags, "tag", arena),
		.params = mlruns_pairs(m, params, "param", arena),
		.points_digest = mlruns_points_digest(m, metrics, arena),
	};
	add_old_tags(meta, &out->tags, arena);
	each_link(m, "inputs", "input", add_input, out, arena);
	each_link(m, "outputs", "output", add_output, out, arena);
	return true;
}

bool mlruns_next_run(struct import_source *s, struct arena *arena, struct import_run *out,
		     bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	char folder[MLRUNS_PATH_BYTES_MAX];
	const char *name;
	(void)err;
	mlruns_forget_owner(m);
	if (m->runs_or_null == NULL)
		m->runs_or_null = mlruns_open_folder(m, m->experiment, "experiment");
	*found_out = false;
	while (!*found_out && m->runs_or_null != NULL &&
	       (name = mlruns_next_folder(m, m->runs_or_null, m->experiment, "run")) != NULL) {
		if (is_reserved(name) || !mlruns_join(m, folder, m->experiment, name))
			continue;
		if (looks_like_run(m, folder, name))
			*found_out = read_run(m, folder, arena_cstr(arena, slice_from_cstr(name)),
					      arena, out);
	}
	return true;
}
