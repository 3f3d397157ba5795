/* Owns the rows of run tags and experiment tags. */
#include "store/tags.h"

#include "store/key_values.h"
#include "store/names.h"

static bool upsert_run_tag(struct db *db, struct run_pk run_pk, const struct key_value *tag,
			   struct error *err);
static bool set_run_name(struct db *db, struct run_pk run_pk, struct slice name, struct error *err);

bool run_tags_set_in_txn(struct db *db, struct run_pk run_pk, struct key_value_list tags,
			 struct arena *arena, struct error *err)
{
	struct key_value_list sorted = key_values_sorted_unique(tags, arena);
	for (size_t i = 0; i < sorted.count; i++) {
		const struct key_value *tag = &sorted.items[i];
		if (slice_eq(tag->key, RUN_NAME_TAG)) {
			if (tag->value.len == 0)
				continue;
			if (!set_run_name(db, run_pk, tag->value, err))
				return false;
		}
		if (!upsert_run_tag(db, run_pk, tag, err))
			return false;
	}
	return true;
}

bool run_tag_delete_in_txn(struct db *db, struct run_pk run_pk, struct slice key, bool *deleted_out,
			   struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM run_tags WHERE run_pk = $1 AND name_pk ="
			       " (SELECT name_pk FROM names WHERE name = $2)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_text(st, 2, key);
	if (!db_run(st, err))
		return false;
	*deleted_out = db_changes(db) > 0;
	return true;
}

bool run_tag_find(struct db *db, struct run_pk run_pk, struct slice key, struct arena *arena,
		  struct slice *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT value FROM run_tags WHERE run_pk = $1 AND name_pk ="
			       " (SELECT name_pk FROM names WHERE name = $2)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_text(st, 2, key);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_copy(st, 0, arena) : (struct slice){NULL, 0};
	db_reset(st);
	return true;
}

bool experiment_tags_set_in_txn(struct db *db, int64_t experiment_id, struct key_value_list tags,
				struct arena *arena, struct error *err)
{
	return key_value_rows_set_in_txn(
		db,
		SQL("INSERT INTO experiment_tags (experiment_id, key, value) VALUES ($1, $2, $3)"
		    " ON CONFLICT (experiment_id, key) DO UPDATE SET value = excluded.value"),
		experiment_id, tags, arena, err);
}

bool experiment_tag_delete_in_txn(struct db *db, int64_t experiment_id, struct slice key,
				  bool *deleted_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM experiment_tags WHERE experiment_id = $1 AND key = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	db_bind_text(st, 2, key);
	if (!db_run(st, err))
		return false;
	*deleted_out = db_changes(db) > 0;
	return true;
}

bool key_value_rows_set_in_txn(struct db *db, struct sql upsert, int64_t owner,
			       struct key_value_list list, struct arena *arena, struct error *err)
{
	struct key_value_list sorted = key_values_sorted_unique(list, arena);
	for (size_t i = 0; i < sorted.count; i++) {
		struct db_statement *st = db_prepare(db, upsert, err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, owner);
		db_bind_text(st, 2, sorted.items[i].key);
		db_bind_text(st, 3, sorted.items[i].value);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

static bool upsert_run_tag(struct db *db, struct run_pk run_pk, const struct key_value *tag,
			   struct error *err)
{
	struct name_pk name_pk;
	if (!names_intern_in_txn(db, tag->key, &name_pk, err))
		return false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO run_tags (run_pk, name_pk, value) VALUES ($1, $2, $3)"
		    " ON CONFLICT (run_pk, name_pk) DO UPDATE SET value = excluded.value"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, name_pk.value);
	db_bind_text(st, 3, tag->value);
	return db_run(st, err);
}

static bool set_run_name(struct db *db, struct run_pk run_pk, struct slice name, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("UPDATE runs SET name = $1 WHERE run_pk = $2"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	db_bind_i64(st, 2, run_pk.value);
	return db_run(st, err);
}
