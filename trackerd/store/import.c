/* Owns the rows of experiments and runs that come from another tracker. */
#include "store/import.h"

#include <inttypes.h>

#include "store/artifact_uri.h"
#include "store/experiments.h"
#include "store/inputs.h"
#include "store/key_values.h"
#include "store/names.h"
#include "store/params.h"
#include "store/run_models.h"
#include "store/runs.h"
#include "store/tags.h"

/* Where a run stands before a call. */
struct standing {
	struct run_ref ref;
	enum import_run_state state;
};

static bool insert_experiment(struct db *db, const struct import_experiment *experiment,
			      struct arena *arena, int64_t *experiment_id_out, struct error *err);
static bool merge_experiment(struct db *db, const struct import_experiment *experiment,
			     int64_t experiment_id, struct arena *arena, struct error *err);
static bool read_standing(struct db *db, struct slice run_id, struct arena *arena,
			  struct standing *out, struct slice *digest_out, struct error *err);
static bool insert_run(struct db *db, const struct import_run *run, struct arena *arena,
		       struct run_pk *out, struct error *err);
static bool place_artifacts(struct db *db, const struct import_run *run, struct run_pk run_pk,
			    struct arena *arena, struct error *err);
static bool add_data(struct db *db, const struct import_run *run, const struct standing *standing,
		     struct arena *arena, struct error *err);
static bool end_run(struct db *db, const struct import_run *run, struct run_pk run_pk,
		    struct arena *arena, struct error *err);
static bool read_artifact_uri(struct db *db, struct run_pk run_pk, struct arena *arena,
			      struct slice *out, struct error *err);

bool import_experiment_in_txn(struct db *db, const struct import_experiment *experiment,
			      struct arena *arena, struct import_experiment_result *out,
			      struct error *err)
{
	int64_t experiment_id = 0;
	bool found = false;
	if (!experiment_find_by_name(db, experiment->name, &experiment_id, &found, err))
		return false;
	if (found ? !merge_experiment(db, experiment, experiment_id, arena, err)
		  : !insert_experiment(db, experiment, arena, &experiment_id, err))
		return false;
	*out = (struct import_experiment_result){experiment_id, !found};
	return true;
}

bool import_run_state(struct db *db, struct slice run_id, struct arena *arena,
		      enum import_run_state *out, struct slice *digest_out, struct error *err)
{
	struct standing standing;
	if (!read_standing(db, run_id, arena, &standing, digest_out, err))
		return false;
	*out = standing.state;
	return true;
}

bool import_run_in_txn(struct db *db, const struct import_run *run, struct arena *arena,
		       struct slice *artifact_uri_out, struct error *err)
{
	struct standing standing;
	struct slice digest;
	if (!read_standing(db, run->run_id, arena, &standing, &digest, err))
		return false;
	if (standing.state == IMPORT_RUN_NONE) {
		standing.ref.experiment_id = run->experiment_id;
		if (!insert_run(db, run, arena, &standing.ref.pk, err))
			return false;
	} else if (standing.state != IMPORT_RUN_OTHER && !run->keeps_artifacts &&
		   !place_artifacts(db, run, standing.ref.pk, arena, err)) {
		return false;
	}
	if (!add_data(db, run, &standing, arena, err))
		return false;
	if (run->is_whole && standing.state != IMPORT_RUN_OTHER &&
	    !end_run(db, run, standing.ref.pk, arena, err))
		return false;
	return read_artifact_uri(db, standing.ref.pk, arena, artifact_uri_out, err);
}

/* ---- experiments ------------------------------------------------------------------------------ */

/* Beyond all that trackers give out; the numbers behind must not run out. */
#define EXPERIMENT_ID_MAX ((int64_t)1000000000000000000)

static bool can_keep_id(struct db *db, int64_t experiment_id, bool *out, struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db, SQL("SELECT 1 FROM experiments WHERE experiment_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	db_reset(st);
	*out = !found && experiment_id >= 0 && experiment_id < EXPERIMENT_ID_MAX;
	return true;
}

/* The wanted number or, when it is NULL, the next one. */
static bool insert_experiment_row(struct db *db, const struct import_experiment *experiment,
				  bool with_id, int64_t *experiment_id_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO experiments (experiment_id, name, artifact_location, is_deleted,"
		    " creation_time_ms, last_update_time_ms) VALUES ($1, $2, $3, $4, $5, $6)"
		    " RETURNING experiment_id"),
		err);
	bool found = false;
	if (st == NULL)
		return false;
	if (with_id)
		db_bind_i64(st, 1, experiment->wanted_id);
	db_bind_text(st, 2, experiment->name);
	db_bind_text(st, 3, slice_or_empty(experiment->location_or_absent));
	db_bind_i64(st, 4, experiment->is_deleted);
	db_bind_i64(st, 5, experiment->creation_time_ms);
	db_bind_i64(st, 6, experiment->last_update_time_ms);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*experiment_id_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool insert_experiment(struct db *db, const struct import_experiment *experiment,
			      struct arena *arena, int64_t *experiment_id_out, struct error *err)
{
	bool keeps_id = false;
	return can_keep_id(db, experiment->wanted_id, &keeps_id, err) &&
	       insert_experiment_row(db, experiment, keeps_id, experiment_id_out, err) &&
	       (slice_is_present(experiment->location_or_absent) ||
		experiment_place_in_txn(db, *experiment_id_out, experiment->artifact_root, arena,
					err)) &&
	       experiment_tags_set_in_txn(db, *experiment_id_out, experiment->tags, arena, err);
}

/* What is there stays; the experiment is as old as the older of the two. */
static bool merge_experiment(struct db *db, const struct import_experiment *experiment,
			     int64_t experiment_id, struct arena *arena, struct error *err)
{
	struct experiment there;
	if (!experiment_load(db, experiment_id, arena, &there, err))
		return false;
	struct key_value_list missing = key_values_missing(experiment->tags, there.tags, arena);
	if (!experiment_tags_set_in_txn(db, experiment_id, missing, arena, err))
		return false;
	if (experiment->creation_time_ms >= there.creation_time_ms)
		return true;
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE experiments SET creation_time_ms = $1 WHERE experiment_id = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment->creation_time_ms);
	db_bind_i64(st, 2, experiment_id);
	return db_run(st, err);
}

/* ---- runs ------------------------------------------------------------------------------------- */

static bool read_standing(struct db *db, struct slice run_id, struct arena *arena,
			  struct standing *out, struct slice *digest_out, struct error *err)
{
	bool found = false, is_imported = false;
	*out = (struct standing){.state = IMPORT_RUN_NONE};
	*digest_out = (struct slice){0};
	if (!run_find_if_any(db, run_id, &out->ref, &found, err))
		return false;
	if (!found)
		return true;
	struct db_statement *st =
		db_prepare(db, SQL("SELECT digest FROM run_imports WHERE run_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, out->ref.pk.value);
	if (!db_fetch_one(st, &is_imported, err))
		return false;
	if (is_imported)
		*digest_out = db_column_copy(st, 0, arena);
	db_reset(st);
	if (!is_imported)
		out->state = IMPORT_RUN_OTHER;
	else
		out->state = slice_is_present(*digest_out) ? IMPORT_RUN_WHOLE : IMPORT_RUN_PARTIAL;
	return true;
}

bool import_own_artifact_uri(struct db *db, int64_t experiment_id, struct slice artifact_root,
			     struct slice path, struct arena *arena, struct slice *out,
			     struct error *err)
{
	static const struct slice own_scheme = {"mlflow-artifacts:", 17};
	struct experiment experiment;
	if (!experiment_load(db, experiment_id, arena, &experiment, err))
		return false;
	struct slice base = experiment.artifact_location;
	if (!slice_starts_with(base, own_scheme))
		base = artifact_uri_join(artifact_root,
					 arena_printf(arena, "%" PRId64, experiment_id), arena);
	*out = slice_starts_with(base, own_scheme) ? artifact_uri_join(base, path, arena)
						   : (struct slice){0};
	return true;
}

static bool choose_artifact_uri(struct db *db, const struct import_run *run, struct arena *arena,
				struct slice *out, struct error *err)
{
	struct slice own = {0};
	struct slice path = arena_concat(arena, run->run_id, SLICE("/artifacts"));
	if (!run->keeps_artifacts &&
	    !import_own_artifact_uri(db, run->experiment_id, run->artifact_root, path, arena, &own,
				     err))
		return false;
	*out = slice_is_present(own) ? own : slice_or_empty(run->source_artifact_uri);
	return true;
}

static bool insert_run_row(struct db *db, const struct import_run *run, struct slice artifact_uri,
			   struct run_pk *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO runs (run_id, experiment_id, name, user_id, status, start_time_ms,"
		    " artifact_uri, is_deleted, deleted_time_ms)"
		    " VALUES ($1, $2, $3, $4, 'RUNNING', $5, $6, $7, $8) RETURNING run_pk"),
		err);
	bool found = false;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, run->run_id);
	db_bind_i64(st, 2, run->experiment_id);
	db_bind_text(st, 3, run->name);
	db_bind_text(st, 4, slice_or_empty(run->user_id));
	db_bind_i64(st, 5, run->start_time_ms);
	db_bind_text(st, 6, artifact_uri);
	db_bind_i64(st, 7, run->is_deleted);
	if (run->deleted_time_ms >= 0)
		db_bind_i64(st, 8, run->deleted_time_ms);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool insert_run(struct db *db, const struct import_run *run, struct arena *arena,
		       struct run_pk *out, struct error *err)
{
	struct slice artifact_uri;
	if (!choose_artifact_uri(db, run, arena, &artifact_uri, err) ||
	    !insert_run_row(db, run, artifact_uri, out, err))
		return false;
	struct db_statement *st = db_prepare(
		db, SQL("INSERT INTO run_imports (run_pk, source_artifact_uri) VALUES ($1, $2)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, out->value);
	db_bind_text(st, 2, run->source_artifact_uri);
	return db_run(st, err);
}

/* An earlier import could not read the artifacts and left the address as it was; this one can. */
static bool place_artifacts(struct db *db, const struct import_run *run, struct run_pk run_pk,
			    struct arena *arena, struct error *err)
{
	struct slice artifact_uri;
	if (!choose_artifact_uri(db, run, arena, &artifact_uri, err))
		return false;
	struct db_statement *st =
		db_prepare(db, SQL("UPDATE runs SET artifact_uri = $1 WHERE run_pk = $2"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, artifact_uri);
	db_bind_i64(st, 2, run_pk.value);
	return db_run(st, err);
}

/* Those of `tags` that the run does not have. */
static bool missing_run_tags(struct db *db, struct run_pk run_pk, struct key_value_list tags,
			     struct arena *arena, struct key_value_list *out, struct error *err)
{
	struct key_value_list missing = {0};
	for (size_t i = 0; i < tags.count; i++) {
		bool found = false;
		struct db_statement *st = db_prepare(
			db,
			SQL("SELECT 1 FROM run_tags WHERE run_pk = $1"
			    " AND name_pk = (SELECT name_pk FROM names WHERE name = $2)"),
			err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, run_pk.value);
		db_bind_text(st, 2, tags.items[i].key);
		if (!db_fetch_one(st, &found, err))
			return false;
		db_reset(st);
		if (!found)
			key_values_add(&missing, tags.items[i], arena);
	}
	*out = missing;
	return true;
}

/* The tags to write: with the name, last, so that it wins over a tag of the same key. */
static bool tags_to_set(struct db *db, const struct import_run *run,
			const struct standing *standing, struct arena *arena,
			struct key_value_list *out, struct error *err)
{
	if (standing->state == IMPORT_RUN_OTHER)
		return missing_run_tags(db, standing->ref.pk, run->tags, arena, out, err);
	struct key_value_list tags = {ARENA_NEW(arena, struct key_value, run->tags.count + 1), 0};
	for (size_t i = 0; i < run->tags.count; i++)
		tags.items[tags.count++] = run->tags.items[i];
	tags.items[tags.count++] = (struct key_value){RUN_NAME_TAG, run->name};
	*out = tags;
	return true;
}

static bool add_data(struct db *db, const struct import_run *run, const struct standing *standing,
		     struct arena *arena, struct error *err)
{
	struct key_value_list tags;
	struct run_pk pk = standing->ref.pk;
	int64_t experiment_id = standing->ref.experiment_id;
	return tags_to_set(db, run, standing, arena, &tags, err) &&
	       run_tags_set_in_txn(db, pk, tags, arena, err) &&
	       params_log_in_txn(db, pk, run->run_id, run->params, arena, err) &&
	       metrics_append_in_txn(db, pk, experiment_id, run->points, run->point_count, arena,
				     err) &&
	       inputs_log_in_txn(db, pk, experiment_id, run->datasets, arena, err) &&
	       run_model_inputs_log_in_txn(db, pk, run->model_inputs, err) &&
	       run_model_outputs_log_in_txn(db, pk, run->model_outputs, err);
}

static bool set_end(struct db *db, const struct import_run *run, struct run_pk run_pk,
		    struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE runs SET user_id = $1, start_time_ms = $2, end_time_ms = $3,"
			       " is_deleted = $4, deleted_time_ms = $5 WHERE run_pk = $6"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, slice_or_empty(run->user_id));
	db_bind_i64(st, 2, run->start_time_ms);
	if (run->end_time_ms >= 0)
		db_bind_i64(st, 3, run->end_time_ms);
	db_bind_i64(st, 4, run->is_deleted);
	if (run->deleted_time_ms >= 0)
		db_bind_i64(st, 5, run->deleted_time_ms);
	db_bind_i64(st, 6, run_pk.value);
	return db_run(st, err);
}

static bool end_run(struct db *db, const struct import_run *run, struct run_pk run_pk,
		    struct arena *arena, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE run_imports SET digest = $1, source_artifact_uri = $2"
			       " WHERE run_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, run->digest);
	db_bind_text(st, 2, run->source_artifact_uri);
	db_bind_i64(st, 3, run_pk.value);
	/* The status goes through the way of every run, since an end also compacts its curves. */
	const struct run_changes changes = {.status_or_absent = run->status};
	return db_run(st, err) && set_end(db, run, run_pk, err) &&
	       run_update_in_txn(db, run_pk, &changes, arena, err);
}

static bool read_artifact_uri(struct db *db, struct run_pk run_pk, struct arena *arena,
			      struct slice *out, struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db, SQL("SELECT artifact_uri FROM runs WHERE run_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*out = db_column_copy(st, 0, arena);
	db_reset(st);
	return true;
}
