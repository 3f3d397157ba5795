/* Owns the rows of model versions and their tags. */
#include "store/model_versions.h"

#include <inttypes.h>

#include "store/deleted_versions.h"
#include "store/model_rows.h"
#include "store/models.h"

static bool error_missing(struct error *err, struct slice name, int64_t version)
{
	char quoted[300];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "Model Version (name=%s, version=%" PRId64 ") not found",
			 error_quote(name, quoted, sizeof(quoted)), version);
}

/* ---- making ------------------------------------------------------------------------------------- */

static bool next_number(struct db *db, struct model_pk pk, int64_t now_ms, int64_t *out,
			struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE registered_models SET last_version = last_version + 1,"
		    " last_updated_time_ms = $1 WHERE model_pk = $2 RETURNING last_version"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool insert_row(struct db *db, struct model_pk pk, int64_t version,
		       const struct model_version_new *new, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO model_versions (model_pk, version, description, user_id, source,"
		    " storage_location, run_id, run_link, creation_time_ms, last_updated_time_ms,"
		    " model_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	db_bind_text(st, 3, slice_or_empty(new->description));
	db_bind_text(st, 4, slice_or_empty(new->user_id));
	db_bind_text(st, 5, new->source);
	db_bind_text(st, 6, slice_or_empty(new->storage_location));
	db_bind_text(st, 7, slice_or_empty(new->run_id));
	db_bind_text(st, 8, slice_or_empty(new->run_link));
	db_bind_i64(st, 9, new->now_ms);
	db_bind_text(st, 10, slice_or_empty(new->model_id));
	return db_run(st, err);
}

bool model_version_insert_in_txn(struct db *db, const struct model_version_new *new,
				 int64_t *version_out, struct error *err)
{
	struct model_pk pk;
	int64_t version = 0;
	if (!model_find(db, new->name, &pk, err) ||
	    !next_number(db, pk, new->now_ms, &version, err) ||
	    !insert_row(db, pk, version, new, err))
		return false;
	for (size_t i = 0; i < new->tags.count; i++) {
		if (!model_version_tag_set_in_txn(db, pk, version, new->tags.items[i], err))
			return false;
	}
	*version_out = version;
	return true;
}

/* A number is given once, here too. */
static bool raise_last_version(struct db *db, struct model_pk pk, int64_t version,
			       struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE registered_models SET last_version = max(last_version, $1)"
			       " WHERE model_pk = $2"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, version);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}

static bool put_row(struct db *db, const struct model_version *v, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO model_versions (model_pk, version, description, user_id, stage,"
		    " source, storage_location, run_id, run_link, status, status_message, model_id,"
		    " creation_time_ms, last_updated_time_ms)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, v->model_pk.value);
	db_bind_i64(st, 2, v->version);
	const struct slice texts[] = {
		v->description, v->user_id,  v->stage,	v->source,	   v->storage_location,
		v->run_id,	v->run_link, v->status, v->status_message, v->model_id,
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		db_bind_text(st, (int)i + 3, slice_or_empty(texts[i]));
	db_bind_i64(st, 13, v->creation_time_ms);
	db_bind_i64(st, 14, v->last_updated_time_ms);
	return db_run(st, err);
}

bool model_version_put_in_txn(struct db *db, const struct model_version *v, struct error *err)
{
	if (!put_row(db, v, err) || !raise_last_version(db, v->model_pk, v->version, err) ||
	    !deleted_versions_remove_in_txn(db, v->model_pk, v->version, err))
		return false;
	for (size_t i = 0; i < v->tags.count; i++) {
		if (!model_version_tag_set_in_txn(db, v->model_pk, v->version, v->tags.items[i],
						  err))
			return false;
	}
	return true;
}

/* ---- loading ------------------------------------------------------------------------------------ */

static bool load_tags(struct db *db, struct model_version *v, struct arena *arena,
		      struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT key, value FROM model_version_tags"
			       " WHERE model_pk = $1 AND version = $2 ORDER BY key"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, v->model_pk.value);
	db_bind_i64(st, 2, v->version);
	return model_rows_tags(st, arena, &v->tags, err);
}

static bool load_aliases(struct db *db, struct model_version *v, struct arena *arena,
			 struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT alias, version FROM model_aliases"
			       " WHERE model_pk = $1 AND version = $2 ORDER BY alias"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, v->model_pk.value);
	db_bind_i64(st, 2, v->version);
	return model_rows_aliases(st, arena, &v->aliases, err);
}

static bool load_row(struct db *db, struct model_version *v, struct arena *arena, bool *found,
		     struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT m.name, v.description, v.user_id, v.stage, v.source, "
		    "v.storage_location,"
		    " v.run_id, v.run_link, v.status, v.status_message, v.creation_time_ms,"
		    " v.last_updated_time_ms, v.model_id"
		    " FROM model_versions AS v JOIN registered_models AS m ON m.model_pk = "
		    "v.model_pk"
		    " WHERE v.model_pk = $1 AND v.version = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, v->model_pk.value);
	db_bind_i64(st, 2, v->version);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found) {
		struct slice *const texts[] = {
			&v->name,   &v->description,	  &v->user_id, &v->stage,
			&v->source, &v->storage_location, &v->run_id,  &v->run_link,
			&v->status, &v->status_message};
		for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
			*texts[i] = db_column_copy(st, (int)i, arena);
		v->creation_time_ms = db_column_i64(st, 10);
		v->last_updated_time_ms = db_column_i64(st, 11);
		v->model_id = db_column_copy(st, 12, arena);
	}
	db_reset(st);
	return true;
}

/* v->model_pk and version are set; fills the rest. */
static bool load_rest(struct db *db, struct model_version *v, struct arena *arena,
		      struct error *err)
{
	bool found = false;
	if (!load_row(db, v, arena, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "A model version vanished while it was read.");
	return load_tags(db, v, arena, err) && load_aliases(db, v, arena, err);
}

bool model_version_load_by_pk(struct db *db, struct model_pk pk, int64_t version,
			      struct arena *arena, struct model_version *out, struct error *err)
{
	*out = (struct model_version){.model_pk = pk, .version = version};
	return load_rest(db, out, arena, err);
}

bool model_version_load(struct db *db, struct slice name, int64_t version, struct arena *arena,
			struct model_version *out, struct error *err)
{
	struct model_pk pk;
	return model_version_check(db, name, version, &pk, err) &&
	       model_version_load_by_pk(db, pk, version, arena, out, err);
}

bool model_version_check(struct db *db, struct slice name, int64_t version, struct model_pk *pk_out,
			 struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT v.model_pk FROM model_versions AS v JOIN registered_models AS m"
		    " ON m.model_pk = v.model_pk WHERE m.name = $1 AND v.version = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	db_bind_i64(st, 2, version);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		pk_out->value = db_column_i64(st, 0);
	db_reset(st);
	return found || error_missing(err, name, version);
}

static bool is_wanted(struct slice stage, const struct slice *stages, size_t stage_count)
{
	for (size_t i = 0; i < stage_count; i++) {
		if (slice_eq(stage, stages[i]))
			return true;
	}
	return stage_count == 0;
}

/* There are four stages. */
enum { STAGE_COUNT_MAX = 4 };

bool model_versions_latest(struct db *db, struct model_pk pk, const struct slice *stages,
			   size_t stage_count, struct arena *arena, struct model_version_list *out,
			   struct error *err)
{
	struct model_version_list list = {ARENA_NEW(arena, struct model_version, STAGE_COUNT_MAX),
					  0};
	enum db_row row;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT max(version), stage FROM model_versions WHERE model_pk = $1"
			       " GROUP BY stage ORDER BY 1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	while ((row = db_step(st, err)) == DB_ROW) {
		if (!is_wanted(db_column_text(st, 1), stages, stage_count))
			continue;
		ASSERT(list.count < STAGE_COUNT_MAX);
		list.items[list.count++] =
			(struct model_version){.model_pk = pk, .version = db_column_i64(st, 0)};
	}
	if (row != DB_DONE)
		return false;
	for (size_t i = 0; i < list.count; i++) {
		if (!load_rest(db, &list.items[i], arena, err))
			return false;
	}
	*out = list;
	return true;
}

bool model_versions_list(struct db *db, struct model_pk pk, struct slice stage_or_absent,
			 struct arena *arena, struct version_list *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT version FROM model_versions WHERE model_pk = $1"
			       " AND stage = coalesce($2, stage) ORDER BY version"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, stage_or_absent);
	return model_rows_versions(st, arena, out, err);
}

/* ---- changing ----------------------------------------------------------------------------------- */

bool model_version_describe_in_txn(struct db *db, struct model_pk pk, int64_t version,
				   struct slice description, int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE model_versions SET description = $1, last_updated_time_ms = $2"
		    " WHERE model_pk = $3 AND version = $4"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, description);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, pk.value);
	db_bind_i64(st, 4, version);
	return db_run(st, err);
}

static bool archive_others_in_txn(struct db *db, struct model_pk pk, int64_t version,
				  struct slice stage, int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE model_versions SET stage = 'Archived', last_updated_time_ms = $1"
		    " WHERE model_pk = $2 AND version <> $3 AND stage = $4"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, pk.value);
	db_bind_i64(st, 3, version);
	db_bind_text(st, 4, stage);
	return db_run(st, err);
}

bool model_version_move_in_txn(struct db *db, struct model_pk pk, int64_t version,
			       struct slice stage, bool archive_others, int64_t now_ms,
			       struct error *err)
{
	if (archive_others && !archive_others_in_txn(db, pk, version, stage, now_ms, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE model_versions SET stage = $1, last_updated_time_ms = $2"
			       " WHERE model_pk = $3 AND version = $4"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, stage);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, pk.value);
	db_bind_i64(st, 4, version);
	return db_run(st, err) && model_touch_in_txn(db, pk, now_ms, err);
}

bool model_version_delete_in_txn(struct db *db, struct model_pk pk, int64_t version, int64_t now_ms,
				 struct error *err)
{
	if (!deleted_versions_add_in_txn(db, pk, version, now_ms, err))
		return false;
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM model_versions WHERE model_pk = $1 AND version = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	return db_run(st, err) && model_touch_in_txn(db, pk, now_ms, err);
}

bool model_version_tag_find(struct db *db, struct model_pk pk, int64_t version, struct slice key,
			    struct arena *arena, struct slice *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT value FROM model_version_tags"
			       " WHERE model_pk = $1 AND version = $2 AND key = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	db_bind_text(st, 3, key);
	return model_rows_text(st, arena, out, err);
}

bool model_version_tag_set_in_txn(struct db *db, struct model_pk pk, int64_t version,
				  struct key_value tag, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO model_version_tags (model_pk, version, key, value)"
		    " VALUES ($1, $2, $3, $4)"
		    " ON CONFLICT (model_pk, version, key) DO UPDATE SET value = excluded.value"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	db_bind_text(st, 3, tag.key);
	db_bind_text(st, 4, slice_or_empty(tag.value));
	return db_run(st, err);
}

bool model_version_tag_delete_in_txn(struct db *db, struct model_pk pk, int64_t version,
				     struct slice key, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM model_version_tags"
			       " WHERE model_pk = $1 AND version = $2 AND key = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	db_bind_text(st, 3, key);
	return db_run(st, err);
}
