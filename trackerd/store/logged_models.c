/* Owns the rows of logged models, their tags and their parameters. */
#include "store/logged_models.h"

#include "store/artifact_uri.h"
#include "store/key_values.h"
#include "store/tags.h"

static const char *const status_texts[LOGGED_MODEL_STATUS_COUNT] = {
	[LOGGED_MODEL_UNSPECIFIED] = "UNSPECIFIED",
	[LOGGED_MODEL_PENDING] = "PENDING",
	[LOGGED_MODEL_READY] = "READY",
	[LOGGED_MODEL_FAILED] = "FAILED",
};

static bool insert_row(struct db *db, const struct logged_model_new *new, struct arena *arena,
		       struct logged_model_pk *out, struct error *err);
static bool look_up(struct db *db, struct slice model_id, struct logged_model_pk *out,
		    bool *found_out, bool *is_deleted_out, struct error *err);
static bool log_param(struct db *db, struct logged_model_pk pk, const struct key_value *param,
		      struct arena *arena, struct error *err);
static bool check_param_is_same(struct db *db, struct logged_model_pk pk,
				const struct key_value *param, struct arena *arena,
				struct error *err);

bool logged_model_insert_in_txn(struct db *db, const struct logged_model_new *new,
				struct arena *arena, struct logged_model_pk *out, struct error *err)
{
	struct logged_model_pk pk;
	if (!insert_row(db, new, arena, &pk, err) ||
	    !logged_model_params_log_in_txn(db, pk, new->params, arena, err) ||
	    !logged_model_tags_set_in_txn(db, pk, new->tags, arena, err))
		return false;
	*out = pk;
	return true;
}

bool logged_model_find_if_any(struct db *db, struct slice model_id, struct logged_model_pk *out,
			      bool *found_out, struct error *err)
{
	bool is_deleted;
	return look_up(db, model_id, out, found_out, &is_deleted, err);
}

bool logged_model_find(struct db *db, struct slice model_id, bool allow_deleted,
		       struct logged_model_pk *out, struct error *err)
{
	bool found = false, is_deleted = false;
	if (!look_up(db, model_id, out, &found, &is_deleted, err))
		return false;
	if (found && (allow_deleted || !is_deleted))
		return true;
	char quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Logged model with ID '%s' not found.",
			 error_quote(model_id, quoted, sizeof(quoted)));
}

bool logged_model_experiment(struct db *db, struct logged_model_pk pk, int64_t *experiment_id_out,
			     struct error *err)
{
	bool found;
	struct db_statement *st = db_prepare(
		db, SQL("SELECT experiment_id FROM logged_models WHERE logged_model_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found); /* this transaction found the pk */
	*experiment_id_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

struct slice logged_model_status_text(enum logged_model_status status)
{
	ASSERT((unsigned)status < LOGGED_MODEL_STATUS_COUNT);
	return slice_from_cstr(status_texts[status]);
}

enum logged_model_status logged_model_status_from_text(struct slice text)
{
	for (unsigned i = 0; i < LOGGED_MODEL_STATUS_COUNT; i++) {
		if (slice_eq_cstr(text, status_texts[i]))
			return (enum logged_model_status)i;
	}
	return LOGGED_MODEL_UNSPECIFIED;
}

bool logged_model_finalize_in_txn(struct db *db, struct logged_model_pk pk,
				  enum logged_model_status status, int64_t now_ms,
				  struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE logged_models SET status = $1, last_updated_time_ms = $2"
			       " WHERE logged_model_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, logged_model_status_text(status));
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, pk.value);
	return db_run(st, err);
}

bool logged_model_delete_in_txn(struct db *db, struct logged_model_pk pk, int64_t now_ms,
				struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE logged_models SET is_deleted = 1, last_updated_time_ms = $1"
			       " WHERE logged_model_pk = $2"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}

bool logged_model_tags_set_in_txn(struct db *db, struct logged_model_pk pk,
				  struct key_value_list tags, struct arena *arena,
				  struct error *err)
{
	return key_value_rows_set_in_txn(
		db,
		SQL("INSERT INTO logged_model_tags (logged_model_pk, key, value) VALUES ($1, $2, "
		    "$3)"
		    " ON CONFLICT (logged_model_pk, key) DO UPDATE SET value = excluded.value"),
		pk.value, tags, arena, err);
}

bool logged_model_tag_delete_in_txn(struct db *db, struct logged_model_pk pk, struct slice key,
				    bool *deleted_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM logged_model_tags WHERE logged_model_pk = $1 AND key = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, key);
	if (!db_run(st, err))
		return false;
	*deleted_out = db_changes(db) > 0;
	return true;
}

bool logged_model_params_log_in_txn(struct db *db, struct logged_model_pk pk,
				    struct key_value_list params, struct arena *arena,
				    struct error *err)
{
	struct key_value_list sorted = key_values_sorted(params, arena);
	for (size_t i = 0; i < sorted.count; i++) {
		if (!log_param(db, pk, &sorted.items[i], arena, err))
			return false;
	}
	return true;
}

static bool look_up(struct db *db, struct slice model_id, struct logged_model_pk *out,
		    bool *found_out, bool *is_deleted_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT logged_model_pk, is_deleted FROM logged_models"
			       " WHERE model_id = $1 AND is_deleted < 2"), /* see garbage.h */
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, model_id);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out) {
		out->value = db_column_i64(st, 0);
		*is_deleted_out = db_column_i64(st, 1) != 0;
	}
	db_reset(st);
	return true;
}

static bool insert_row(struct db *db, const struct logged_model_new *new, struct arena *arena,
		       struct logged_model_pk *out, struct error *err)
{
	struct slice path = arena_printf(arena, "models/%.*s/artifacts", SLICE_FMT(new->model_id));
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO logged_models (model_id, experiment_id, name, model_type,"
		    " source_run_id, status, artifact_uri, creation_time_ms, last_updated_time_ms)"
		    " VALUES ($1, $2, $3, $4, $5, 'PENDING', $6, $7, $7) RETURNING "
		    "logged_model_pk"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, new->model_id);
	db_bind_i64(st, 2, new->experiment_id);
	db_bind_text(st, 3, new->name);
	db_bind_text(st, 4, slice_or_empty(new->model_type));
	db_bind_text(st, 5, slice_or_empty(new->source_run_id));
	db_bind_text(st, 6, artifact_uri_join(new->experiment_location, path, arena));
	db_bind_i64(st, 7, new->now_ms);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool log_param(struct db *db, struct logged_model_pk pk, const struct key_value *param,
		      struct arena *arena, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO logged_model_params (logged_model_pk, key, value)"
		    " VALUES ($1, $2, $3) ON CONFLICT (logged_model_pk, key) DO NOTHING"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, param->key);
	db_bind_text(st, 3, param->value);
	if (!db_run(st, err))
		return false;
	return db_changes(db) > 0 || check_param_is_same(db, pk, param, arena, err);
}

static bool check_param_is_same(struct db *db, struct logged_model_pk pk,
				const struct key_value *param, struct arena *arena,
				struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT value FROM logged_model_params"
			       " WHERE logged_model_pk = $1 AND key = $2 AND value <> $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, param->key);
	db_bind_text(st, 3, param->value);
	bool is_other = false;
	if (!db_fetch_one(st, &is_other, err))
		return false;
	struct slice old = is_other ? db_column_copy(st, 0, arena) : (struct slice){0};
	db_reset(st);
	if (!is_other)
		return true;
	char key_quoted[260], old_quoted[160], new_quoted[160];
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Changing param values is not allowed. Param with key='%s' was already "
			 "logged with value='%s'. Attempted logging new value '%s'.",
			 error_quote(param->key, key_quoted, sizeof(key_quoted)),
			 error_quote(old, old_quoted, sizeof(old_quoted)),
			 error_quote(param->value, new_quoted, sizeof(new_quoted)));
}
