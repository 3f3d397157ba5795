/* Owns the rows of logged models that come from another tracker. */
#include "store/import_logged_models.h"

#include "store/experiments.h"
#include "store/key_values.h"
#include "store/logged_model_metrics.h"
#include "store/logged_models.h"
#include "store/logged_models_load.h"
#include "store/runs.h"

struct standing {
	struct logged_model_pk pk;
	enum import_run_state state;
};

static bool read_standing(struct db *db, struct slice model_id, struct standing *out,
			  struct error *err);
static bool insert_model(struct db *db, const struct import_logged_model *model,
			 struct arena *arena, struct logged_model_pk *out, struct error *err);
static bool place_artifacts(struct db *db, const struct import_logged_model *model,
			    struct standing *standing, struct arena *arena, struct error *err);
static bool add_data(struct db *db, const struct import_logged_model *model,
		     struct logged_model_pk pk, struct arena *arena, struct error *err);
static bool add_metrics(struct db *db, const struct import_logged_model *model,
			size_t *left_out_out, struct error *err);
static bool set_whole(struct db *db, struct logged_model_pk pk, bool is_whole, struct error *err);
static bool end_model(struct db *db, const struct import_logged_model *model,
		      struct logged_model_pk pk, struct error *err);

bool import_logged_model_in_txn(struct db *db, const struct import_logged_model *model,
				struct arena *arena, struct import_logged_model_result *out,
				struct error *err)
{
	struct standing standing;
	struct logged_model there;
	if (!read_standing(db, model->model_id, &standing, err))
		return false;
	bool is_ours = standing.state == IMPORT_RUN_OTHER;
	if (standing.state == IMPORT_RUN_NONE && !insert_model(db, model, arena, &standing.pk, err))
		return false;
	if (!is_ours && !model->keeps_artifacts &&
	    !place_artifacts(db, model, &standing, arena, err))
		return false;
	*out = (struct import_logged_model_result){.state = standing.state};
	if (!add_data(db, model, standing.pk, arena, err) ||
	    !add_metrics(db, model, &out->metrics_left_out, err))
		return false;
	if (model->is_whole && !is_ours && !end_model(db, model, standing.pk, err))
		return false;
	if (!logged_models_load(db, &standing.pk.value, 1, arena, &there, err))
		return false;
	out->artifact_uri = there.artifact_uri;
	return true;
}

static bool read_standing(struct db *db, struct slice model_id, struct standing *out,
			  struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT m.logged_model_pk, i.is_whole FROM logged_models AS m"
			       " LEFT JOIN logged_model_imports AS i USING (logged_model_pk)"
			       " WHERE m.model_id = $1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, model_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = (struct standing){.state = IMPORT_RUN_NONE};
	if (found) {
		out->pk.value = db_column_i64(st, 0);
		out->state = db_column_is_null(st, 1)	 ? IMPORT_RUN_OTHER
			     : db_column_i64(st, 1) != 0 ? IMPORT_RUN_WHOLE
							 : IMPORT_RUN_PARTIAL;
	}
	db_reset(st);
	return true;
}

/* With the address that its artifacts have now; place_artifacts may give it another one. */
static bool insert_row(struct db *db, const struct import_logged_model *model,
		       struct logged_model_pk *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO logged_models (model_id, experiment_id, name, model_type,"
		    " source_run_id, status, status_message, artifact_uri, is_deleted,"
		    " creation_time_ms, last_updated_time_ms)"
		    " VALUES ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $8, $9, $10)"
		    " RETURNING logged_model_pk"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, model->model_id);
	db_bind_i64(st, 2, model->experiment_id);
	db_bind_text(st, 3, model->name);
	db_bind_text(st, 4, slice_or_empty(model->model_type));
	db_bind_text(st, 5, slice_or_empty(model->source_run_id));
	db_bind_text(st, 6, model->status_message);
	db_bind_text(st, 7, slice_or_empty(model->source_artifact_uri));
	db_bind_i64(st, 8, model->is_deleted);
	db_bind_i64(st, 9, model->creation_time_ms);
	db_bind_i64(st, 10, model->last_updated_time_ms);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool insert_model(struct db *db, const struct import_logged_model *model,
			 struct arena *arena, struct logged_model_pk *out, struct error *err)
{
	struct experiment experiment;
	if (!experiment_load(db, model->experiment_id, arena, &experiment, err) ||
	    !insert_row(db, model, out, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO logged_model_imports (logged_model_pk,"
			       " source_artifact_uri) VALUES ($1, $2)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, out->value);
	db_bind_text(st, 2, slice_or_empty(model->source_artifact_uri));
	return db_run(st, err);
}

/* A model whose files an earlier import could not read is whole no more: they have their place here now. */
static bool place_artifacts(struct db *db, const struct import_logged_model *model,
			    struct standing *standing, struct arena *arena, struct error *err)
{
	struct slice uri;
	struct slice path =
		arena_printf(arena, "models/%.*s/artifacts", SLICE_FMT(model->model_id));
	if (!import_own_artifact_uri(db, model->experiment_id, model->artifact_root, path, arena,
				     &uri, err))
		return false;
	if (!slice_is_present(uri))
		return true;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE logged_models SET artifact_uri = $1"
			       " WHERE logged_model_pk = $2 AND artifact_uri <> $1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, uri);
	db_bind_i64(st, 2, standing->pk.value);
	if (!db_run(st, err))
		return false;
	if (db_changes(db) == 0 || standing->state != IMPORT_RUN_WHOLE)
		return true;
	standing->state = IMPORT_RUN_PARTIAL;
	return set_whole(db, standing->pk, false, err);
}

static bool set_whole(struct db *db, struct logged_model_pk pk, bool is_whole, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE logged_model_imports SET is_whole = $1 WHERE logged_model_pk = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, is_whole);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}

static bool add_data(struct db *db, const struct import_logged_model *model,
		     struct logged_model_pk pk, struct arena *arena, struct error *err)
{
	struct logged_model there;
	if (!logged_models_load(db, &pk.value, 1, arena, &there, err))
		return false;
	struct key_value_list tags = key_values_missing(model->tags, there.tags, arena);
	struct key_value_list params = key_values_missing(model->params, there.params, arena);
	return logged_model_tags_set_in_txn(db, pk, tags, arena, err) &&
	       logged_model_params_log_in_txn(db, pk, params, arena, err);
}

static bool add_metrics(struct db *db, const struct import_logged_model *model,
			size_t *left_out_out, struct error *err)
{
	for (size_t i = 0; i < model->metrics.count; i++) {
		const struct logged_model_metric *metric = &model->metrics.items[i];
		struct run_ref ref;
		bool found = false;
		if (!run_find_if_any(db, metric->run_id, &ref, &found, err))
			return false;
		*left_out_out += !found;
		const struct model_point point = {
			.point = {metric->point.key, metric->point.value,
				  metric->point.timestamp_ms, metric->point.step},
			.model_id = model->model_id,
			.dataset_name = metric->dataset_name,
			.dataset_digest = metric->dataset_digest,
		};
		if (found && !logged_model_metrics_log_in_txn(db, ref.pk, &point, 1, err))
			return false;
	}
	return true;
}

static bool end_model(struct db *db, const struct import_logged_model *model,
		      struct logged_model_pk pk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE logged_models SET status = $1, status_message = $2,"
			       " is_deleted = $3, last_updated_time_ms = $4"
			       " WHERE logged_model_pk = $5"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, logged_model_status_text(model->status));
	db_bind_text(st, 2, model->status_message);
	db_bind_i64(st, 3, model->is_deleted);
	db_bind_i64(st, 4, model->last_updated_time_ms);
	db_bind_i64(st, 5, pk.value);
	return db_run(st, err) && set_whole(db, pk, true, err);
}
