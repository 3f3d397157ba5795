/* Where an alias of a model points now, since when, and under which revision: what followers of an alias are told. */
#ifndef STORE_ALIAS_STATE_H
#define STORE_ALIAS_STATE_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"

struct alias_state {
	int64_t version;  /* 0: the alias, or its model, is not there; all but model_or_absent is then 0 or absent */
	int64_t revision; /* number of the event that moved it here (registry_history.h) */
	int64_t since_ms; /* when that was */
	struct slice actor, run_id, source; /* in the arena */
	/* What the model is called now: as asked for, or otherwise when it was renamed. Absent: there is none. */
	struct slice model_or_absent;
};

/* "latest" in any case is the highest version; its revision is of the event that made that version. */
MUST_CHECK bool alias_state_load(struct db *db, struct slice model, struct slice alias, struct arena *arena,
				 struct alias_state *out, struct error *err);

#endif
