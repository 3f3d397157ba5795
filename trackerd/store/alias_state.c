/* Owns the look at one alias. */
#include "store/alias_state.h"

#include "store/models.h"
#include "store/registry_history.h"
#include "store/registry_state.h"

static bool load_set_alias(struct db *db, struct model_pk pk, struct slice alias,
			   struct arena *arena, struct alias_state *out, struct error *err);
static bool load_latest(struct db *db, struct model_pk pk, struct arena *arena,
			struct alias_state *out, struct error *err);
static bool load_version(struct db *db, struct model_pk pk, struct arena *arena,
			 struct alias_state *out, struct error *err);

bool alias_state_load(struct db *db, struct slice model, struct slice alias, struct arena *arena,
		      struct alias_state *out, struct error *err)
{
	struct model_pk pk;
	struct alias_state state = {0};
	bool found;
	if (!model_find_if_any(db, model, &pk, &found, err))
		return false;
	if (found) {
		bool is_latest = slice_eq_ignoring_case(alias, SLICE("latest"));
		if (!(is_latest ? load_latest(db, pk, arena, &state, err)
				: load_set_alias(db, pk, alias, arena, &state, err)))
			return false;
	}
	if (!found && !registry_name_now(db, model, arena, &state.model_or_absent, err))
		return false;
	if (found)
		state.model_or_absent = model;
	if (state.version == 0)
		state = (struct alias_state){.model_or_absent = state.model_or_absent};
	*out = state;
	return state.version == 0 || load_version(db, pk, arena, out, err);
}

static bool load_set_alias(struct db *db, struct model_pk pk, struct slice alias,
			   struct arena *arena, struct alias_state *out, struct error *err)
{
	struct registry_alias_event event;
	if (!registry_alias_event_load(db, pk, alias, arena, &event, err))
		return false;
	out->version = event.version;
	out->revision = event.event_seq;
	out->since_ms = event.time_ms;
	out->actor = event.actor;
	return true;
}

static bool load_latest(struct db *db, struct model_pk pk, struct arena *arena,
			struct alias_state *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT version, event_seq, time_ms, actor FROM registry_events"
		    " WHERE model_seq = (SELECT model_seq FROM registered_models WHERE model_pk = "
		    "$1)"
		    " AND version = (SELECT max(version) FROM model_versions WHERE model_pk = $1)"
		    " AND part = $2 AND key = '' ORDER BY event_seq DESC LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, REGISTRY_PART_LIFE);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		out->version = db_column_i64(st, 0);
		out->revision = db_column_i64(st, 1);
		out->since_ms = db_column_i64(st, 2);
		out->actor = db_column_copy(st, 3, arena);
	}
	db_reset(st);
	return true;
}

static bool load_version(struct db *db, struct model_pk pk, struct arena *arena,
			 struct alias_state *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT run_id, source FROM model_versions"
						 " WHERE model_pk = $1 AND version = $2"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, out->version);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		out->run_id = db_column_copy(st, 0, arena);
		out->source = db_column_copy(st, 1, arena);
	}
	db_reset(st);
	return true;
}
