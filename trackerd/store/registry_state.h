/* How a model was at a moment, put together from the registry's history (registry_history.h).
 *
 * Nothing is replayed: for each subject of the model the newest event up to the moment is looked up in an index, so
 * the cost is that of what the model consisted of, not of how often it changed. A moment is a sequence number; a time
 * stands for the last event up to it. On any connection; several statements: hold a snapshot around them on a
 * read-only one. */
#ifndef STORE_REGISTRY_STATE_H
#define STORE_REGISTRY_STATE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

/* An alias, and the event that moved it there. */
struct registry_alias {
	struct slice alias;
	int64_t version;
	int64_t revision, since_ms;
	struct slice actor, kind, reason;
};
struct registry_alias_list {
	struct registry_alias *items; /* sorted by alias */
	size_t count;
};

struct registry_state {
	int64_t model_seq;
	struct registered_model model; /* name, description, creation_time_ms, tags, aliases: no more is remembered */
	struct model_version_list versions; /* in order; without last_updated_time_ms */
	struct registry_alias_list aliases;
	struct slice rules; /* a JSON object; absent: none were ever set */
};

/* The last event up to a time; 0 when there was none. */
MUST_CHECK bool registry_seq_at(struct db *db, int64_t time_ms, int64_t *seq_out, struct error *err);
/* The time of an event; RESOURCE_DOES_NOT_EXIST when there is no such event. */
MUST_CHECK bool registry_time_of(struct db *db, int64_t seq, int64_t *time_ms_out, struct error *err);
/* The model that was the last to be called `name` up to event `seq`, under whatever name it is there at `seq`, or
 * deleted; *model_seq_out is 0 when there was none. */
MUST_CHECK bool registry_find_named(struct db *db, struct slice name, int64_t seq, int64_t *model_seq_out,
				    struct error *err);
/* The model that is called `name`, or, if there is none, the one that was last. RESOURCE_DOES_NOT_EXIST when there
 * never was one. */
MUST_CHECK bool registry_find_model(struct db *db, struct slice name, int64_t *model_seq_out, struct error *err);
/* What that model is called now, in the arena; absent when it is not there. */
MUST_CHECK bool registry_name_now(struct db *db, struct slice name, struct arena *arena, struct slice *out_or_absent,
				  struct error *err);
/* *found_out is false, and *out untouched, when the model was not there after event `seq`. */
MUST_CHECK bool registry_state_load(struct db *db, int64_t model_seq, int64_t seq, struct arena *arena,
				    struct registry_state *out, bool *found_out, struct error *err);
/* One version likewise, without its aliases, also of a deleted model; version 0: the model itself, as if it were one.
 * *life_seq_out is the number of the event that made, restored or deleted it last; 0 when it never was. */
MUST_CHECK bool registry_version_load(struct db *db, int64_t model_seq, int64_t version, int64_t seq,
				      struct arena *arena, struct model_version *out, int64_t *life_seq_out,
				      bool *found_out, struct error *err);

#endif
