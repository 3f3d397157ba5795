/* Owns the import source that is a SQLite database of MLflow: its rows as items. */
#include <inttypes.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/import_files.h"
#include "cli/import_source.h"
#include "cli/sqlite_reader.h"

struct sqlite_source {
	struct import_source base;
	struct sqlite_reader *reader;
	struct import_places places;
	const char *experiment_or_null;
	struct sqlite_cursor experiments, runs, points, logged_models, models, versions;
	/* What was yielded last, in memory of this. */
	struct arena outer, inner;
	struct slice experiment_id, run_id, model_name;
	struct import_files files;
	const char *folder_or_null; /* of the run's artifacts; once they are asked for, NULL */
};

enum { ARENA_BYTES_MAX = 64 * 1024 * 1024 };

static struct sqlite_source *from_base(struct import_source *base)
{
	return CONTAINER_OF(base, struct sqlite_source, base);
}

/* Releases of 2026 divide a database into workspaces; all others are one. */
static bool is_of_default_workspace(struct slice workspace)
{
	return !slice_is_present(workspace) || slice_eq_cstr(workspace, "default");
}

/* Reads all rows "key, value" that belong to something. */
static void read_pairs(struct sqlite_source *s, enum sqlite_table table, struct slice key,
		       struct arena *arena, struct import_pairs *out)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, table, key);
	while (sqlite_cursor_next(&c)) {
		struct slice name = sqlite_text(&c, 0, arena);
		if (slice_is_present(name))
			import_pairs_add(out, name, slice_or_empty(sqlite_text(&c, 1, arena)),
					 arena);
	}
}

/* ---- experiments ------------------------------------------------------------------------------ */

enum { E_ID, E_NAME, E_LOCATION, E_STAGE, E_CREATED, E_UPDATED, E_WORKSPACE };

static bool is_wanted(struct sqlite_source *s, struct slice name, struct slice workspace)
{
	if (s->experiment_or_null != NULL && !slice_eq_cstr(name, s->experiment_or_null))
		return false;
	if (!slice_is_present(name) || name.len == 0)
		return false;
	if (is_of_default_workspace(workspace))
		return true;
	import_report_add(s->base.report, IMPORT_UNSUPPORTED, "experiment", name,
			  "it is in the workspace %.*s, and only \"default\" is imported",
			  SLICE_FMT(workspace));
	return false;
}

static bool next_experiment(struct import_source *base, struct arena *arena,
			    struct import_experiment *out, bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	const struct sqlite_cursor *c = &s->experiments;
	(void)err; /* damage is told, and the rest goes on */
	*found_out = false;
	sqlite_cursor_close(&s->runs);
	while (!*found_out && sqlite_cursor_next(&s->experiments)) {
		struct slice name = sqlite_text(c, E_NAME, arena);
		*found_out = is_wanted(s, name, sqlite_text(c, E_WORKSPACE, arena));
		out->name = name;
	}
	if (!*found_out)
		return true;
	out->id = sqlite_i64(c, E_ID, -1);
	out->artifact_location = sqlite_text(c, E_LOCATION, arena);
	out->is_deleted = slice_eq_cstr(sqlite_text(c, E_STAGE, arena), "deleted");
	out->creation_time_ms = sqlite_i64(c, E_CREATED, -1);
	out->last_update_time_ms = sqlite_i64(c, E_UPDATED, -1);
	arena_reset(&s->outer);
	s->experiment_id = arena_printf(&s->outer, "%" PRId64, out->id);
	read_pairs(s, TABLE_EXPERIMENT_TAGS, s->experiment_id, arena, &out->tags);
	sqlite_cursor_open(&s->runs, s->reader, TABLE_RUNS, s->experiment_id);
	sqlite_cursor_open(&s->logged_models, s->reader, TABLE_LOGGED_MODELS, s->experiment_id);
	return true;
}

/* ---- runs ------------------------------------------------------------------------------------- */

enum { R_ID, R_NAME, R_USER, R_STATUS, R_START, R_END, R_DELETED, R_STAGE, R_URI };
enum { D_NAME, D_DIGEST, D_SOURCE_TYPE, D_SOURCE, D_SCHEMA, D_PROFILE };
enum { I_UUID, I_SOURCE_TYPE, I_SOURCE_ID, I_DESTINATION_TYPE, I_DESTINATION_ID, I_STEP };

static void read_dataset(struct sqlite_source *s, struct slice input_id, struct slice dataset_id,
			 struct arena *arena, struct import_run *run)
{
	struct sqlite_cursor c = {0};
	struct import_dataset dataset = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_DATASETS, dataset_id);
	bool found = sqlite_cursor_next(&c);
	if (found)
		dataset = (struct import_dataset){
			.name = sqlite_text(&c, D_NAME, arena),
			.digest = sqlite_text(&c, D_DIGEST, arena),
			.source_type = sqlite_text(&c, D_SOURCE_TYPE, arena),
			.source = sqlite_text(&c, D_SOURCE, arena),
			.schema = sqlite_text(&c, D_SCHEMA, arena),
			.profile = sqlite_text(&c, D_PROFILE, arena),
		};
	sqlite_cursor_close(&c);
	if (!found) {
		import_report_add(s->base.report, IMPORT_FAILED, "dataset", dataset_id,
				  "an input of run %.*s that is not in the table datasets",
				  SLICE_FMT(run->run_id));
		return;
	}
	read_pairs(s, TABLE_INPUT_TAGS, input_id, arena, &dataset.tags);
	import_datasets_add(&run->datasets, dataset, arena);
}

/* One table joins datasets with runs that read them, and runs with the logged models that they
 * read or made. */
static void read_inputs(struct sqlite_source *s, struct arena *arena, struct import_run *run)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_INPUTS, run->run_id);
	while (sqlite_cursor_next(&c)) {
		struct slice type = sqlite_text(&c, I_SOURCE_TYPE, arena);
		struct slice source_id = sqlite_text(&c, I_SOURCE_ID, arena);
		struct slice input_id = slice_or_empty(sqlite_text(&c, I_UUID, arena));
		if (slice_eq_cstr(type, "DATASET"))
			read_dataset(s, input_id, slice_or_empty(source_id), arena, run);
	}
}

enum { K_SOURCE_TYPE, K_DESTINATION_TYPE, K_DESTINATION_ID, K_STEP };

static void read_model_links(struct sqlite_source *s, struct arena *arena, struct import_run *run)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_MODEL_LINKS, run->run_id);
	while (sqlite_cursor_next(&c)) {
		struct slice type = sqlite_text(&c, K_DESTINATION_TYPE, arena);
		const struct import_model_link link = {sqlite_text(&c, K_DESTINATION_ID, arena),
						       sqlite_i64(&c, K_STEP, 0)};
		if (slice_eq_cstr(type, "MODEL_INPUT"))
			import_model_links_add(&run->model_inputs, link, arena);
		else if (slice_eq_cstr(type, "MODEL_OUTPUT"))
			import_model_links_add(&run->model_outputs, link, arena);
	}
}

static struct slice status_of(const struct sqlite_cursor *c, struct arena *arena)
{
	struct slice status = sqlite_text(c, R_STATUS, arena);
	return status.len > 0 ? status : SLICE("RUNNING");
}

static void read_run(struct sqlite_source *s, struct arena *arena, struct import_run *out)
{
	const struct sqlite_cursor *c = &s->runs;
	out->name = sqlite_text(c, R_NAME, arena);
	out->user_id = sqlite_text(c, R_USER, arena);
	out->status = status_of(c, arena);
	out->start_time_ms = sqlite_i64(c, R_START, -1);
	out->end_time_ms = sqlite_i64(c, R_END, -1);
	out->deleted_time_ms = sqlite_i64(c, R_DELETED, -1);
	out->is_deleted = slice_eq_cstr(sqlite_text(c, R_STAGE, arena), "deleted");
	out->artifact_uri = slice_or_empty(sqlite_text(c, R_URI, arena));
	read_pairs(s, TABLE_TAGS, out->run_id, arena, &out->tags);
	read_pairs(s, TABLE_PARAMS, out->run_id, arena, &out->params);
	read_inputs(s, arena, out);
	read_model_links(s, arena, out);
	/* Points are only ever added. */
	int64_t count = sqlite_row_count(s->reader, TABLE_METRICS, out->run_id);
	if (count >= 0)
		out->points_digest = arena_printf(arena, "%" PRId64 " points", count);
}

static bool next_run(struct import_source *base, struct arena *arena, struct import_run *out,
		     bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	(void)err; /* damage is told, and the rest goes on */
	sqlite_cursor_close(&s->points);
	import_files_close(&s->files);
	*found_out = false;
	while (!*found_out && sqlite_cursor_next(&s->runs)) {
		out->run_id = sqlite_text(&s->runs, R_ID, arena);
		*found_out = out->run_id.len > 0;
	}
	if (!*found_out)
		return true;
	read_run(s, arena, out);
	arena_reset(&s->inner);
	s->run_id = arena_copy(&s->inner, out->run_id);
	s->folder_or_null = import_files_locate(&s->places, out->artifact_uri, &s->inner);
	sqlite_cursor_open(&s->points, s->reader, TABLE_METRICS, s->run_id);
	return true;
}

/* ---- points ----------------------------------------------------------------------------------- */

enum { M_KEY, M_VALUE, M_TIMESTAMP, M_STEP, M_IS_NAN };

/* A NaN is a flag, or in early versions NULL. */
static double value_of(const struct sqlite_cursor *c)
{
	bool is_nan = sqlite_i64(c, M_IS_NAN, 0) != 0 || sqlite_is_null(c, M_VALUE);
	return is_nan ? (double)NAN : sqlite_double(c, M_VALUE);
}

static bool next_points(struct import_source *base, struct arena *arena,
			struct import_point *points, size_t max, size_t *count_out,
			struct error *err)
{
	struct sqlite_source *s = from_base(base);
	const struct sqlite_cursor *c = &s->points;
	struct slice key = {0};
	size_t count = 0;
	(void)err; /* damage is told, and the rest goes on */
	while (count < max && sqlite_cursor_next(&s->points)) {
		/* Points of one curve often stand together. */
		if (!slice_is_present(key) || !sqlite_text_is(c, M_KEY, key))
			key = sqlite_text(c, M_KEY, arena);
		if (!slice_is_present(key))
			continue;
		points[count++] = (struct import_point){
			.key = key,
			.value = value_of(c),
			.timestamp_ms = sqlite_i64(c, M_TIMESTAMP, 0),
			.step = sqlite_i64(c, M_STEP, 0),
		};
	}
	*count_out = count;
	return true;
}

/* ---- artifacts -------------------------------------------------------------------------------- */

static bool has_artifacts(struct import_source *base, struct slice uri)
{
	struct sqlite_source *s = from_base(base);
	struct arena_mark mark = arena_mark(&s->inner);
	bool is_here = import_files_locate(&s->places, uri, &s->inner) != NULL;
	arena_rewind(&s->inner, mark);
	return is_here;
}

static bool next_artifact(struct import_source *base, struct arena *arena,
			  struct import_artifact *out, bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	(void)err; /* damage is told, and the rest goes on */
	if (s->folder_or_null != NULL)
		import_files_open(&s->files, base->report, s->folder_or_null);
	s->folder_or_null = NULL;
	*found_out = import_files_next(&s->files, arena, out);
	return true;
}

static int open_artifact(struct import_source *base, const struct import_artifact *artifact)
{
	(void)artifact; /* the one that was yielded last */
	return import_files_open_file(&from_base(base)->files);
}

/* ---- logged models ---------------------------------------------------------------------------- */

enum {
	L_ID,
	L_NAME,
	L_URI,
	L_CREATED,
	L_UPDATED,
	L_STATUS,
	L_STAGE,
	L_TYPE,
	L_SOURCE_RUN,
	L_MESSAGE
};
enum { LM_KEY, LM_VALUE, LM_TIMESTAMP, LM_STEP, LM_RUN, LM_DATASET, LM_DIGEST };

static void read_model_metrics(struct sqlite_source *s, struct arena *arena,
			       struct import_logged_model *out)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_LOGGED_MODEL_METRICS, out->model_id);
	while (sqlite_cursor_next(&c)) {
		const struct import_model_metric metric = {
			.point = {.key = sqlite_text(&c, LM_KEY, arena),
				  .value = sqlite_is_null(&c, LM_VALUE)
						   ? (double)NAN
						   : sqlite_double(&c, LM_VALUE),
				  .timestamp_ms = sqlite_i64(&c, LM_TIMESTAMP, 0),
				  .step = sqlite_i64(&c, LM_STEP, 0)},
			.run_id = sqlite_text(&c, LM_RUN, arena),
			.dataset_name = sqlite_text(&c, LM_DATASET, arena),
			.dataset_digest = sqlite_text(&c, LM_DIGEST, arena),
		};
		if (slice_is_present(metric.point.key) && slice_is_present(metric.run_id))
			import_model_metrics_add(&out->metrics, metric, arena);
	}
}

static struct slice model_status(int64_t status)
{
	static const char *const names[] = {"UNSPECIFIED", "PENDING", "READY", "UPLOAD_FAILED"};
	bool is_known = status >= 0 && (size_t)status < ARRAY_COUNT(names);
	return slice_from_cstr(names[is_known ? status : 0]);
}

static bool next_logged_model(struct import_source *base, struct arena *arena,
			      struct import_logged_model *out, bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	const struct sqlite_cursor *c = &s->logged_models;
	(void)err; /* damage is told, and the rest goes on */
	import_files_close(&s->files);
	*found_out = false;
	while (!*found_out && sqlite_cursor_next(&s->logged_models)) {
		out->model_id = sqlite_text(c, L_ID, arena);
		*found_out = out->model_id.len > 0;
	}
	if (!*found_out)
		return true;
	out->name = sqlite_text(c, L_NAME, arena);
	out->artifact_uri = slice_or_empty(sqlite_text(c, L_URI, arena));
	out->creation_time_ms = sqlite_i64(c, L_CREATED, -1);
	out->last_update_time_ms = sqlite_i64(c, L_UPDATED, -1);
	out->status = model_status(sqlite_i64(c, L_STATUS, 0));
	out->is_deleted = slice_eq_cstr(sqlite_text(c, L_STAGE, arena), "deleted");
	out->type = sqlite_text(c, L_TYPE, arena);
	out->source_run_id = sqlite_text(c, L_SOURCE_RUN, arena);
	out->status_message = sqlite_text(c, L_MESSAGE, arena);
	read_pairs(s, TABLE_LOGGED_MODEL_TAGS, out->model_id, arena, &out->tags);
	read_pairs(s, TABLE_LOGGED_MODEL_PARAMS, out->model_id, arena, &out->params);
	read_model_metrics(s, arena, out);
	arena_reset(&s->inner);
	s->folder_or_null = import_files_locate(&s->places, out->artifact_uri, &s->inner);
	return true;
}

/* ---- registry --------------------------------------------------------------------------------- */

enum { RM_NAME, RM_CREATED, RM_UPDATED, RM_DESCRIPTION, RM_WORKSPACE };
enum { RT_KEY, RT_VALUE, RT_WORKSPACE };
enum { A_ALIAS, A_VERSION, A_WORKSPACE };
enum { VT_VERSION, VT_KEY, VT_VALUE, VT_WORKSPACE };
enum {
	V_VERSION,
	V_CREATED,
	V_UPDATED,
	V_DESCRIPTION,
	V_USER,
	V_STAGE,
	V_SOURCE,
	V_LOCATION,
	V_RUN_ID,
	V_RUN_LINK,
	V_STATUS,
	V_STATUS_MESSAGE,
	V_WORKSPACE
};

static void read_model_tags(struct sqlite_source *s, struct arena *arena, struct import_model *out)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_MODEL_TAGS, s->model_name);
	while (sqlite_cursor_next(&c)) {
		struct slice key = sqlite_text(&c, RT_KEY, arena);
		if (slice_is_present(key) &&
		    is_of_default_workspace(sqlite_text(&c, RT_WORKSPACE, arena)))
			import_pairs_add(&out->tags, key,
					 slice_or_empty(sqlite_text(&c, RT_VALUE, arena)), arena);
	}
}

static void read_aliases(struct sqlite_source *s, struct arena *arena, struct import_model *out)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_ALIASES, s->model_name);
	while (sqlite_cursor_next(&c)) {
		struct import_alias alias = {sqlite_text(&c, A_ALIAS, arena),
					     sqlite_i64(&c, A_VERSION, 0)};
		if (slice_is_present(alias.alias) &&
		    is_of_default_workspace(sqlite_text(&c, A_WORKSPACE, arena)))
			import_aliases_add(&out->aliases, alias, arena);
	}
}

static bool next_model(struct import_source *base, struct arena *arena, struct import_model *out,
		       bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	const struct sqlite_cursor *c = &s->models;
	(void)err; /* damage is told, and the rest goes on */
	*found_out = false;
	while (!*found_out && sqlite_cursor_next(&s->models)) {
		struct slice workspace = sqlite_text(c, RM_WORKSPACE, arena);
		out->name = sqlite_text(c, RM_NAME, arena);
		*found_out = out->name.len > 0 && is_of_default_workspace(workspace);
		if (out->name.len > 0 && !*found_out)
			import_report_add(base->report, IMPORT_UNSUPPORTED, "model", out->name,
					  "it is in the workspace %.*s, and only \"default\" is "
					  "imported",
					  SLICE_FMT(workspace));
	}
	if (!*found_out)
		return true;
	out->creation_time_ms = sqlite_i64(c, RM_CREATED, -1);
	out->last_update_time_ms = sqlite_i64(c, RM_UPDATED, -1);
	out->description = sqlite_text(c, RM_DESCRIPTION, arena);
	arena_reset(&s->outer);
	s->model_name = arena_copy(&s->outer, out->name);
	read_model_tags(s, arena, out);
	read_aliases(s, arena, out);
	sqlite_cursor_open(&s->versions, s->reader, TABLE_VERSIONS, s->model_name);
	return true;
}

static void read_version_tags(struct sqlite_source *s, struct arena *arena,
			      struct import_version *out)
{
	struct sqlite_cursor c = {0};
	sqlite_cursor_open(&c, s->reader, TABLE_VERSION_TAGS, s->model_name);
	while (sqlite_cursor_next(&c)) {
		if (sqlite_i64(&c, VT_VERSION, -1) != out->version)
			continue;
		struct slice key = sqlite_text(&c, VT_KEY, arena);
		if (slice_is_present(key) &&
		    is_of_default_workspace(sqlite_text(&c, VT_WORKSPACE, arena)))
			import_pairs_add(&out->tags, key,
					 slice_or_empty(sqlite_text(&c, VT_VALUE, arena)), arena);
	}
}

/* Files that a version names and that should be here, but are not. */
static void check_files(struct sqlite_source *s, const struct import_version *version)
{
	struct arena_mark mark = arena_mark(&s->inner);
	/* Prompts have a word there that is no place. */
	bool is_place = slice_find_byte(version->source, '/', 0) < version->source.len;
	const char *folder =
		is_place ? import_files_locate(&s->places, version->source, &s->inner) : NULL;
	if (folder != NULL && !import_files_exist(folder))
		import_report_add(s->base.report, IMPORT_FAILED, "artifact", version->source,
				  "of model version %.*s/%" PRId64 ": there is nothing at %s",
				  SLICE_FMT(s->model_name), version->version, folder);
	arena_rewind(&s->inner, mark);
}

static void read_version(struct sqlite_source *s, struct arena *arena, struct import_version *out)
{
	const struct sqlite_cursor *c = &s->versions;
	out->version = sqlite_i64(c, V_VERSION, 0);
	out->creation_time_ms = sqlite_i64(c, V_CREATED, -1);
	out->last_update_time_ms = sqlite_i64(c, V_UPDATED, -1);
	out->description = sqlite_text(c, V_DESCRIPTION, arena);
	out->user_id = sqlite_text(c, V_USER, arena);
	out->stage = sqlite_text(c, V_STAGE, arena);
	out->source = slice_or_empty(sqlite_text(c, V_SOURCE, arena));
	out->storage_location = sqlite_text(c, V_LOCATION, arena);
	out->run_id = sqlite_text(c, V_RUN_ID, arena);
	out->run_link = sqlite_text(c, V_RUN_LINK, arena);
	out->status = sqlite_text(c, V_STATUS, arena);
	out->status_message = sqlite_text(c, V_STATUS_MESSAGE, arena);
	read_version_tags(s, arena, out);
	check_files(s, out);
}

static bool next_version(struct import_source *base, struct arena *arena,
			 struct import_version *out, bool *found_out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	(void)err; /* damage is told, and the rest goes on */
	*found_out = false;
	while (!*found_out && sqlite_cursor_next(&s->versions)) {
		struct slice workspace = sqlite_text(&s->versions, V_WORKSPACE, arena);
		struct slice stage = sqlite_text(&s->versions, V_STAGE, arena);
		/* MLflow keeps what it deleted under this stage, with its values taken away. */
		*found_out = is_of_default_workspace(workspace) &&
			     !slice_eq_cstr(stage, "Deleted_Internal");
	}
	if (*found_out)
		read_version(s, arena, out);
	return true;
}

/* ---- the source as a whole -------------------------------------------------------------------- */

static bool totals(struct import_source *base, struct import_totals *out, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	(void)err; /* what cannot be counted is not known */
	*out = (struct import_totals){-1, -1, -1, -1};
	if (s->experiment_or_null != NULL)
		return true;
	out->experiments = sqlite_row_count(s->reader, TABLE_EXPERIMENTS, (struct slice){0});
	out->runs = sqlite_row_count(s->reader, TABLE_RUNS, (struct slice){0});
	out->points = sqlite_row_count(s->reader, TABLE_METRICS, (struct slice){0});
	out->models = sqlite_row_count(s->reader, TABLE_MODELS, (struct slice){0});
	return true;
}

static bool finish(struct import_source *base, struct arena *arena, struct error *err)
{
	struct sqlite_source *s = from_base(base);
	(void)arena, (void)err; /* only counts */
	int64_t orphans =
		sqlite_number(s->reader,
			      "SELECT count(*) FROM runs WHERE experiment_id IS NULL OR"
			      " experiment_id NOT IN (SELECT experiment_id FROM experiments)",
			      (struct slice){0});
	if (orphans > 0)
		import_report_add(base->report, IMPORT_FAILED, "table", SLICE("runs"),
				  "%" PRId64 " of them belong to no experiment", orphans);
	sqlite_report_unknown(s->reader);
	return true;
}

static void close_source(struct import_source *base)
{
	struct sqlite_source *s = from_base(base);
	struct sqlite_cursor *const cursors[] = {&s->experiments,   &s->runs,	&s->points,
						 &s->logged_models, &s->models, &s->versions};
	for (size_t i = 0; i < ARRAY_COUNT(cursors); i++)
		sqlite_cursor_close(cursors[i]);
	import_files_close(&s->files);
	sqlite_reader_close(s->reader);
	arena_deinit(&s->outer);
	arena_deinit(&s->inner);
	free(s);
}

static const struct import_source_ops sqlite_ops = {
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

bool sqlite_source_open(const struct import_source_options *options, struct import_source **out,
			struct error *err)
{
	struct sqlite_source *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	s->base = (struct import_source){&sqlite_ops, options->cli, options->report};
	s->experiment_or_null = options->experiment_or_null;
	arena_init(&s->outer, ARENA_BYTES_MAX);
	arena_init(&s->inner, ARENA_BYTES_MAX);
	/* dirname changes its argument. */
	char *copy = arena_cstr(options->cli->arena, slice_from_cstr(options->location));
	s->places = (struct import_places){options->artifacts_root_or_null, dirname(copy)};
	if (!sqlite_reader_open(options->location, options->report, &s->reader, err)) {
		close_source(&s->base);
		return false;
	}
	sqlite_cursor_open(&s->experiments, s->reader, TABLE_EXPERIMENTS, (struct slice){0});
	sqlite_cursor_open(&s->models, s->reader, TABLE_MODELS, (struct slice){0});
	*out = &s->base;
	return true;
}
