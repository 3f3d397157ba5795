/* Owns the rows of registered models, their tags and their aliases. */
#include "store/models.h"

#include <inttypes.h>

#include "search/model_fields.h"
#include "store/deleted_versions.h"
#include "store/key_values.h"
#include "store/model_rows.h"
#include "store/model_versions.h"

static bool error_missing(struct error *err, struct slice name)
{
	char quoted[300];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "Registered Model with name=%s not found",
			 error_quote(name, quoted, sizeof(quoted)));
}

bool model_find_if_any(struct db *db, struct slice name, struct model_pk *out, bool *found,
		       struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT model_pk FROM registered_models WHERE name = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found)
		out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

bool model_find(struct db *db, struct slice name, struct model_pk *out, struct error *err)
{
	bool found = false;
	return model_find_if_any(db, name, out, &found, err) && (found || error_missing(err, name));
}

static bool says_true(struct slice tag_value)
{
	return slice_eq_ignoring_case(tag_value, SLICE("true"));
}

bool model_tags_make_prompt(struct key_value_list tags)
{
	const struct key_value *tag_or_null = key_values_find(tags, SLICE(PROMPT_TAG));
	return tag_or_null != NULL && says_true(tag_or_null->value);
}

bool model_is_prompt(struct db *db, struct slice name, bool *is_prompt_out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT t.value FROM registered_model_tags AS t JOIN registered_models AS m"
		    " ON m.model_pk = t.model_pk WHERE m.name = $1 AND t.key = '" PROMPT_TAG "'"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	if (!db_fetch_one(st, &found, err))
		return false;
	*is_prompt_out = found && says_true(db_column_text(st, 0));
	db_reset(st);
	return true;
}

/* The name is taken by a thing that is a prompt or not, and the new one is one or not. */
static bool error_exists(struct db *db, struct slice name, bool is_prompt, struct error *err)
{
	const char *kinds[] = {"registered model", "prompt"};
	const char *names[] = {"Registered Model", "Prompt"};
	char quoted[300];
	bool was_prompt;
	if (!model_is_prompt(db, name, &was_prompt, err))
		return false;
	(void)error_quote(name, quoted, sizeof(quoted));
	if (was_prompt == is_prompt)
		return error_set(err, ERR_RESOURCE_ALREADY_EXISTS, "%s (name=%s) already exists.",
				 names[is_prompt], quoted);
	return error_set(
		err, ERR_RESOURCE_ALREADY_EXISTS,
		"Tried to create a %s with name '%s', but the name is already taken by a %s. "
		"MLflow does not allow creating a model and a prompt with the same name.",
		kinds[is_prompt], quoted, kinds[was_prompt]);
}

bool model_insert_in_txn(struct db *db, struct slice name, struct slice description,
			 struct key_value_list tags, int64_t now_ms, struct error *err)
{
	struct model_pk pk;
	bool found = false;
	if (!model_find_if_any(db, name, &pk, &found, err))
		return false;
	if (found)
		return error_exists(db, name, model_tags_make_prompt(tags), err);
	const struct registered_model model = {
		.name = name,
		.description = description,
		.creation_time_ms = now_ms,
		.last_updated_time_ms = now_ms,
		.tags = tags,
	};
	return model_put_in_txn(db, &model, &pk, err);
}

bool model_put_in_txn(struct db *db, const struct registered_model *model, struct model_pk *pk_out,
		      struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO registered_models"
			       " (name, description, creation_time_ms, last_updated_time_ms)"
			       " VALUES ($1, $2, $3, $4) RETURNING model_pk"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, model->name);
	db_bind_text(st, 2, slice_or_empty(model->description));
	db_bind_i64(st, 3, model->creation_time_ms);
	db_bind_i64(st, 4, model->last_updated_time_ms);
	if (!db_fetch_one(st, &found, err))
		return false;
	pk_out->value = db_column_i64(st, 0);
	db_reset(st);
	for (size_t i = 0; i < model->tags.count; i++) {
		if (!model_tag_set_in_txn(db, *pk_out, model->tags.items[i], err))
			return false;
	}
	return true;
}

/* ---- loading ------------------------------------------------------------------------------------ */

static bool load_row(struct db *db, struct model_pk pk, struct arena *arena,
		     struct registered_model *out, struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT name, description, creation_time_ms, last_updated_time_ms"
			       " FROM registered_models WHERE model_pk = $1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "A registered model vanished while it was read.");
	out->pk = pk;
	out->name = db_column_copy(st, 0, arena);
	out->description = db_column_copy(st, 1, arena);
	out->creation_time_ms = db_column_i64(st, 2);
	out->last_updated_time_ms = db_column_i64(st, 3);
	db_reset(st);
	return true;
}

static bool load_tags(struct db *db, struct model_pk pk, struct arena *arena,
		      struct key_value_list *out, struct error *err)
{
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT key, value FROM registered_model_tags "
						 "WHERE model_pk = $1 ORDER BY key"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	return model_rows_tags(st, arena, out, err);
}

static bool load_aliases(struct db *db, struct model_pk pk, struct arena *arena,
			 struct model_alias_list *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT alias, version FROM model_aliases WHERE model_pk = $1 ORDER BY alias"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	return model_rows_aliases(st, arena, out, err);
}

bool model_load(struct db *db, struct model_pk pk, struct arena *arena,
		struct registered_model *out, struct error *err)
{
	return load_row(db, pk, arena, out, err) && load_tags(db, pk, arena, &out->tags, err) &&
	       load_aliases(db, pk, arena, &out->aliases, err) &&
	       model_versions_latest(db, pk, NULL, 0, arena, &out->latest_versions, err);
}

/* ---- changing ----------------------------------------------------------------------------------- */

bool model_rename_in_txn(struct db *db, struct slice name, struct slice new_name, int64_t now_ms,
			 struct error *err)
{
	struct model_pk pk, other;
	bool found = false, is_prompt = false;
	if (!model_find(db, name, &pk, err) || !model_is_prompt(db, name, &is_prompt, err) ||
	    !model_find_if_any(db, new_name, &other, &found, err))
		return false;
	if (found && other.value != pk.value)
		return error_exists(db, new_name, is_prompt, err);
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE registered_models SET name = $1, last_updated_time_ms = $2"
			       " WHERE model_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, new_name);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, pk.value);
	return db_run(st, err);
}

bool model_describe_in_txn(struct db *db, struct slice name, struct slice description,
			   int64_t now_ms, struct error *err)
{
	struct model_pk pk;
	if (!model_find(db, name, &pk, err))
		return false;
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE registered_models SET description = $1, last_updated_time_ms = $2"
		    " WHERE model_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, description);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, pk.value);
	return db_run(st, err);
}

bool model_delete_in_txn(struct db *db, struct slice name, int64_t now_ms, struct error *err)
{
	struct model_pk pk;
	if (!model_find(db, name, &pk, err) || !deleted_versions_add_in_txn(db, pk, 0, now_ms, err))
		return false;
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM registered_models WHERE model_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	return db_run(st, err);
}

bool model_touch_in_txn(struct db *db, struct model_pk pk, int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE registered_models SET last_updated_time_ms = $1 WHERE model_pk = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}

bool model_tag_find(struct db *db, struct model_pk pk, struct slice key, struct arena *arena,
		    struct slice *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT value FROM registered_model_tags WHERE model_pk = $1 AND key = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, key);
	return model_rows_text(st, arena, out, err);
}

bool model_tag_set_in_txn(struct db *db, struct model_pk pk, struct key_value tag,
			  struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO registered_model_tags (model_pk, key, value) VALUES ($1, $2, $3)"
		    " ON CONFLICT (model_pk, key) DO UPDATE SET value = excluded.value"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, tag.key);
	db_bind_text(st, 3, slice_is_present(tag.value) ? tag.value : SLICE(""));
	return db_run(st, err);
}

bool model_tag_delete_in_txn(struct db *db, struct model_pk pk, struct slice key, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM registered_model_tags WHERE model_pk = $1 AND key = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, key);
	return db_run(st, err);
}

/* ---- aliases ------------------------------------------------------------------------------------ */

bool model_alias_set_in_txn(struct db *db, struct model_pk pk, struct slice alias, int64_t version,
			    struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO model_aliases (model_pk, alias, version) VALUES ($1, $2, $3)"
		    " ON CONFLICT (model_pk, alias) DO UPDATE SET version = excluded.version"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, alias);
	db_bind_i64(st, 3, version);
	return db_run(st, err);
}

bool model_alias_delete_in_txn(struct db *db, struct model_pk pk, struct slice alias,
			       struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM model_aliases WHERE model_pk = $1 AND alias = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, alias);
	return db_run(st, err);
}

static struct db_statement *prepare_alias(struct db *db, struct model_pk pk, struct slice alias,
					  struct error *err)
{
	struct db_statement *st;
	if (slice_eq_ignoring_case(alias, SLICE("latest"))) {
		st = db_prepare(db,
				SQL("SELECT max(version) FROM model_versions WHERE model_pk = $1"),
				err);
	} else {
		st = db_prepare(
			db,
			SQL("SELECT version FROM model_aliases WHERE model_pk = $1 AND alias = $2"),
			err);
		if (st != NULL)
			db_bind_text(st, 2, alias);
	}
	if (st != NULL)
		db_bind_i64(st, 1, pk.value);
	return st;
}

bool model_alias_find(struct db *db, struct model_pk pk, struct slice name, struct slice alias,
		      int64_t *version_out, struct error *err)
{
	bool found = false;
	char quoted[300];
	struct db_statement *st = prepare_alias(db, pk, alias, err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	found = found && !db_column_is_null(st, 0);
	if (found)
		*version_out = db_column_i64(st, 0);
	db_reset(st);
	if (found)
		return true;
	if (slice_eq_ignoring_case(alias, SLICE("latest")))
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "Latest version not found for model %s.",
				 error_quote(name, quoted, sizeof(quoted)));
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Registered model alias %s not found.",
			 error_quote(alias, quoted, sizeof(quoted)));
}
