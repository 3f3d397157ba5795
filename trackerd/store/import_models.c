/* Owns the rows of registered models and versions that come from another tracker. */
#include "store/import_models.h"

#include <inttypes.h>

#include "store/key_values.h"
#include "store/model_versions.h"
#include "store/models.h"

static bool find_version(struct db *db, struct model_pk pk, const struct import_version *version,
			 bool *found_out, struct error *err);
static bool insert_version(struct db *db, struct model_pk pk, const struct import_version *version,
			   struct arena *arena, struct error *err);
static bool add_version_tags(struct db *db, struct model_pk pk,
			     const struct import_version *version, struct arena *arena,
			     struct key_value_list *added, struct error *err);
static bool add_aliases(struct db *db, struct model_pk pk, const struct import_version *version,
			struct arena *arena, struct model_alias_list *added, struct error *err);
static bool move_addresses(struct db *db, const struct import_version *version, struct arena *arena,
			   struct slice *source, struct slice *location, struct error *err);
static struct slice model_id_of(struct slice source);

bool import_model_in_txn(struct db *db, const struct import_model *model, struct arena *arena,
			 struct import_model_result *out, struct error *err)
{
	struct registered_model there;
	struct model_pk pk;
	bool found = false;
	if (!model_find_if_any(db, model->name, &pk, &found, err))
		return false;
	const struct registered_model row = {
		.name = model->name,
		.description = model->description,
		.creation_time_ms = model->creation_time_ms,
		.last_updated_time_ms = model->last_updated_time_ms,
	};
	if (!found && !model_put_in_txn(db, &row, &pk, err))
		return false;
	if (!model_load(db, pk, arena, &there, err))
		return false;
	struct key_value_list missing = key_values_missing(model->tags, there.tags, arena);
	for (size_t i = 0; i < missing.count; i++) {
		if (!model_tag_set_in_txn(db, pk, missing.items[i], err))
			return false;
	}
	*out = (struct import_model_result){.pk = pk, .is_new = !found, .added_tags = missing};
	return true;
}

bool import_version_in_txn(struct db *db, const struct import_version *version, struct arena *arena,
			   struct import_model_result *out, struct error *err)
{
	struct model_pk pk;
	bool found = false;
	if (!model_find(db, version->name, &pk, err) || !find_version(db, pk, version, &found, err))
		return false;
	if (!found && !insert_version(db, pk, version, arena, err))
		return false;
	*out = (struct import_model_result){.pk = pk, .is_new = !found};
	return add_version_tags(db, pk, version, arena, &out->added_tags, err) &&
	       add_aliases(db, pk, version, arena, &out->added_aliases, err);
}

static bool find_version(struct db *db, struct model_pk pk, const struct import_version *version,
			 bool *found_out, struct error *err)
{
	bool is_same = false;
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT creation_time_ms FROM model_versions"
						 " WHERE model_pk = $1 AND version = $2"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version->version);
	if (!db_fetch_one(st, found_out, err))
		return false;
	is_same = !*found_out || db_column_i64(st, 0) == version->creation_time_ms;
	db_reset(st);
	char quoted[300];
	return is_same ||
	       error_set(err, ERR_RESOURCE_CONFLICT,
			 "Model Version (name=%s, version=%" PRId64 ") exists and is another one.",
			 error_quote(version->name, quoted, sizeof(quoted)), version->version);
}

static bool insert_version(struct db *db, struct model_pk pk, const struct import_version *version,
			   struct arena *arena, struct error *err)
{
	struct slice source = version->source;
	struct slice location =
		version->storage_location.len > 0 ? version->storage_location : version->source;
	if (!move_addresses(db, version, arena, &source, &location, err))
		return false;
	const struct model_version row = {
		.model_pk = pk,
		.version = version->version,
		.description = version->description,
		.user_id = version->user_id,
		.stage = version->stage,
		.source = source,
		.storage_location = location,
		.run_id = version->run_id,
		.run_link = version->run_link,
		.status = version->status,
		.status_message = version->status_message,
		.model_id = model_id_of(version->source),
		.creation_time_ms = version->creation_time_ms,
		.last_updated_time_ms = version->last_updated_time_ms,
	};
	return model_version_put_in_txn(db, &row, err);
}

static bool add_version_tags(struct db *db, struct model_pk pk,
			     const struct import_version *version, struct arena *arena,
			     struct key_value_list *added, struct error *err)
{
	struct model_version there;
	if (!model_version_load_by_pk(db, pk, version->version, arena, &there, err))
		return false;
	struct key_value_list missing = key_values_missing(version->tags, there.tags, arena);
	for (size_t i = 0; i < missing.count; i++) {
		if (!model_version_tag_set_in_txn(db, pk, version->version, missing.items[i], err))
			return false;
	}
	*added = missing;
	return true;
}

static bool add_aliases(struct db *db, struct model_pk pk, const struct import_version *version,
			struct arena *arena, struct model_alias_list *added, struct error *err)
{
	for (size_t i = 0; i < version->alias_count; i++) {
		struct db_statement *st = db_prepare(
			db,
			SQL("INSERT INTO model_aliases (model_pk, alias, version)"
			    " VALUES ($1, $2, $3) ON CONFLICT (model_pk, alias) DO NOTHING"),
			err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, pk.value);
		db_bind_text(st, 2, version->aliases[i]);
		db_bind_i64(st, 3, version->version);
		if (!db_run(st, err))
			return false;
		if (db_changes(db) == 0)
			continue;
		added->items =
			arena_list_room(arena, added->items, added->count, sizeof(*added->items));
		added->items[added->count++] =
			(struct model_alias){version->aliases[i], version->version};
	}
	return true;
}

/* "file:///a" and "/a" are one place. */
static struct slice without_file_scheme(struct slice address)
{
	return slice_starts_with(address, SLICE("file://")) ? slice_from(address, 7) : address;
}

/* The id of the logged model that "models:/m-…" names; else absent. */
static struct slice model_id_of(struct slice source)
{
	static const struct slice prefix = {"models:/m-", 10};
	struct slice id = slice_from(source, prefix.len - 2);
	bool is_id = slice_starts_with(source, prefix) && slice_find_byte(id, '/', 0) == id.len &&
		     slice_find_byte(id, '@', 0) == id.len;
	return is_id ? id : (struct slice){0};
}

/* An address below `from` as one below `to`; else as it is. */
static struct slice moved(struct slice address, struct slice from, struct slice to,
			  struct arena *arena)
{
	struct slice local = without_file_scheme(address), place = without_file_scheme(from);
	struct slice rest = slice_from(local, place.len);
	bool is_below = place.len > 0 && slice_starts_with(local, place) &&
			(rest.len == 0 || rest.ptr[0] == '/');
	return is_below ? arena_concat(arena, to, rest) : address;
}

/* The addresses as they are here: what an import moved has left its old place. */
static bool move_addresses(struct db *db, const struct import_version *version, struct arena *arena,
			   struct slice *source, struct slice *location, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT i.source_artifact_uri, r.artifact_uri FROM runs AS r"
		    " JOIN run_imports AS i USING (run_pk) WHERE r.run_id = $1"
		    " UNION ALL"
		    " SELECT i.source_artifact_uri, m.artifact_uri FROM logged_models AS m"
		    " JOIN logged_model_imports AS i USING (logged_model_pk)"
		    " WHERE m.model_id = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, version->run_id);
	db_bind_text(st, 2, model_id_of(version->source));
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct slice from = db_column_copy(st, 0, arena);
		struct slice to = db_column_copy(st, 1, arena);
		*source = moved(*source, from, to, arena);
		*location = moved(*location, from, to, arena);
	}
	return row == DB_DONE;
}
