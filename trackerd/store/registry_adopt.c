/* Owns the first events of models that stood before there was a history. */
#include "store/registry_history.h"

#include "limits.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/registry_json.h"

/* One model at a time. */
struct adoption {
	struct db *db;
	struct arena arena; /* for one of its models or versions */
	int64_t now_ms;
	struct model_pk pk;
	struct slice name;
};

static struct registry_change adopted(const struct adoption *a, enum registry_kind kind)
{
	return (struct registry_change){.kind = kind,
					.model_pk = a->pk,
					.model = a->name,
					.author.cause = SLICE("the history begins"),
					.now_ms = a->now_ms};
}

static bool adopt_version(struct adoption *a, int64_t number, struct error *err)
{
	struct model_version version;
	struct registry_change change = adopted(a, REGISTRY_VERSION_ADOPTED);
	struct arena_mark mark = arena_mark(&a->arena);
	int64_t seq = 0;
	if (!model_version_load_by_pk(a->db, a->pk, number, &a->arena, &version, err))
		return false;
	change.version = number;
	change.after = registry_json_version(&a->arena, &version);
	bool ok = registry_record_in_txn(a->db, &change, &seq, err);
	arena_rewind(&a->arena, mark);
	return ok;
}

static bool adopt_versions(struct adoption *a, struct error *err)
{
	struct version_list versions;
	if (!model_versions_list(a->db, a->pk, (struct slice){0}, &a->arena, &versions, err))
		return false;
	for (size_t i = 0; i < versions.count; i++) {
		if (!adopt_version(a, versions.items[i], err))
			return false;
	}
	return true;
}

static bool adopt_alias(struct adoption *a, const struct model_alias *alias, struct error *err)
{
	struct registry_change change = adopted(a, REGISTRY_ALIAS_ADOPTED);
	int64_t seq = 0;
	change.key = alias->alias;
	change.alias_version = alias->version;
	change.after = registry_json_alias(&a->arena, alias->version);
	return registry_record_in_txn(a->db, &change, &seq, err);
}

static bool adopt_model(struct adoption *a, struct error *err)
{
	struct registered_model model;
	int64_t seq = 0;
	if (!model_load(a->db, a->pk, &a->arena, &model, err))
		return false;
	a->name = model.name;
	struct registry_change change = adopted(a, REGISTRY_MODEL_ADOPTED);
	change.after = registry_json_model(&a->arena, &model);
	if (!registry_record_in_txn(a->db, &change, &seq, err) || !adopt_versions(a, err))
		return false;
	for (size_t i = 0; i < model.aliases.count; i++) {
		if (!adopt_alias(a, &model.aliases.items[i], err))
			return false;
	}
	return true;
}

/* The next model without a history after a->pk. */
static bool find_next(struct adoption *a, bool *found, struct error *err)
{
	struct db_statement *st =
		db_prepare(a->db,
			   SQL("SELECT model_pk FROM registered_models WHERE model_seq = 0"
			       " AND model_pk > $1 ORDER BY model_pk LIMIT 1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, a->pk.value);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found)
		a->pk.value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool adopt_all_in_txn(struct adoption *a, struct error *err)
{
	bool found = true;
	while (found) {
		arena_reset(&a->arena);
		if (!find_next(a, &found, err) || (found && !adopt_model(a, err)))
			return false;
	}
	return true;
}

bool registry_adopt(struct db *db, int64_t now_ms, struct error *err)
{
	struct adoption a = {.db = db, .now_ms = now_ms, .pk = {INT64_MIN}};
	struct error ignored;
	arena_init(&a.arena, JOB_ARENA_BYTES_MAX);
	bool ok = db_exec(db, SQL("BEGIN IMMEDIATE"), err) && adopt_all_in_txn(&a, err) &&
		  db_exec(db, SQL("COMMIT"), err);
	if (!ok && db_in_transaction(db))
		(void)!db_exec(db, SQL("ROLLBACK"),
			       &ignored); /* the first error is the one to tell */
	arena_deinit(&a.arena);
	return ok;
}
