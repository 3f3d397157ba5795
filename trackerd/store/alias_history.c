/* Owns the walk back along the events of an alias. */
#include "store/alias_history.h"

#include <inttypes.h>

#include "json/json_reader.h"
#include "store/registry_history.h"

/* One event of the alias. */
struct alias_event {
	int64_t event_seq;
	int64_t stay_seq; /* of the event that the stay began with: its own, or what a rollback went back to */
	int64_t time_ms;
	int64_t version; /* 0: the alias was deleted */
};

/* Reads the columns of load_before. */
static struct alias_event read_event(const struct db_statement *st, struct arena *arena)
{
	struct json_node detail = {NULL};
	struct error ignored;
	struct alias_event event = {.event_seq = db_column_i64(st, 0),
				    .stay_seq = db_column_i64(st, 0),
				    .time_ms = db_column_i64(st, 1),
				    .version = db_column_i64(st, 2)};
	struct slice text = db_column_copy(st, 3, arena);
	int64_t to_seq = 0;
	/* Of a rollback alone; what cannot be read is a stay of its own. */
	if (slice_is_present(text) && json_read(text, arena, &detail, &ignored) &&
	    slice_parse_i64(json_node_string(json_node_member(detail, SLICE("to_seq"))), &to_seq) &&
	    to_seq > 0 && to_seq < event.event_seq)
		event.stay_seq = to_seq;
	return event;
}

/* Runs one of the two statements below; `st_or_null` is not prepared where it is NULL. */
static bool fetch(struct db_statement *st_or_null, struct model_pk pk, struct slice alias,
		  int64_t seq, bool *found, struct error *err)
{
	if (st_or_null == NULL)
		return false;
	db_bind_i64(st_or_null, 1, REGISTRY_PART_ALIAS);
	db_bind_text(st_or_null, 2, alias);
	db_bind_i64(st_or_null, 3, pk.value);
	db_bind_i64(st_or_null, 4, seq);
	return db_fetch_one(st_or_null, found, err);
}

/* The newest event of the alias before `seq`; event_seq 0 when there is none. */
static bool load_before(struct db *db, struct model_pk pk, struct slice alias, int64_t seq,
			struct arena *arena, struct alias_event *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT e.event_seq, e.time_ms,"
		    " CASE WHEN e.after_json IS NULL THEN 0 ELSE e.alias_version END,"
		    " CASE WHEN e.kind = 'alias.rolled_back' THEN e.detail_json END"
		    " FROM registered_models AS m JOIN registry_events AS e"
		    " ON e.model_seq = m.model_seq AND e.version = 0 AND e.part = $1 AND e.key = $2"
		    " WHERE m.model_pk = $3 AND e.event_seq < $4 ORDER BY e.event_seq DESC LIMIT "
		    "1"),
		err);
	if (!fetch(st, pk, alias, seq, &found, err))
		return false;
	*out = found ? read_event(st, arena) : (struct alias_event){0};
	db_reset(st);
	return true;
}

/* When the stay that began with event `seq` ended first: the time of the alias' next event. */
static bool load_end(struct db *db, struct model_pk pk, struct slice alias, int64_t seq,
		     int64_t *until_ms_out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT e.time_ms FROM registered_models AS m JOIN registry_events AS e"
		    " ON e.model_seq = m.model_seq AND e.version = 0 AND e.part = $1 AND e.key = $2"
		    " WHERE m.model_pk = $3 AND e.event_seq > $4 ORDER BY e.event_seq LIMIT 1"),
		err);
	if (!fetch(st, pk, alias, seq, &found, err))
		return false;
	*until_ms_out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

static bool version_is_there(struct db *db, struct model_pk pk, int64_t version, bool *is_there_out,
			     struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT 1 FROM model_versions WHERE model_pk = $1 AND version = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	if (!db_fetch_one(st, is_there_out, err))
		return false;
	db_reset(st);
	return true;
}

static bool make_stay(struct db *db, struct model_pk pk, struct slice alias,
		      const struct alias_event *event, struct alias_stay *out, struct error *err)
{
	struct alias_stay stay = {.event_seq = event->stay_seq,
				  .version = event->version,
				  .since_ms = event->time_ms};
	if (!load_end(db, pk, alias, event->event_seq, &stay.until_ms, err))
		return false;
	*out = stay;
	return true;
}

bool alias_stay_before(struct db *db, struct model_pk pk, struct slice alias, struct arena *arena,
		       struct alias_stay *out, bool *found_out, struct error *err)
{
	struct alias_event event;
	if (!load_before(db, pk, alias, INT64_MAX, arena, &event, err))
		return false;
	int64_t present_version = event.version;
	*found_out = false;
	while (event.event_seq != 0) {
		struct arena_mark mark = arena_mark(arena);
		bool is_there = false;
		if (!load_before(db, pk, alias, event.stay_seq, arena, &event, err))
			return false;
		arena_rewind(arena, mark);
		if (event.version == 0 || event.version == present_version)
			continue;
		if (!version_is_there(db, pk, event.version, &is_there, err))
			return false;
		if (is_there) {
			*found_out = true;
			return make_stay(db, pk, alias, &event, out, err);
		}
	}
	return true;
}

bool alias_stay_of_version(struct db *db, struct model_pk pk, struct slice alias, int64_t version,
			   struct arena *arena, struct alias_stay *out, bool *found_out,
			   struct error *err)
{
	struct alias_event event;
	*found_out = false;
	if (!load_before(db, pk, alias, INT64_MAX, arena, &event, err))
		return false;
	while (event.event_seq != 0) {
		struct arena_mark mark = arena_mark(arena);
		if (!load_before(db, pk, alias, event.event_seq, arena, &event, err))
			return false;
		arena_rewind(arena, mark);
		if (event.event_seq != 0 && event.version == version) {
			*found_out = true;
			return make_stay(db, pk, alias, &event, out, err);
		}
	}
	return true;
}

struct slice alias_stay_detail(const struct alias_stay *stay, struct arena *arena)
{
	return arena_printf(arena, "{\"to_seq\":\"%" PRId64 "\"}", stay->event_seq);
}
