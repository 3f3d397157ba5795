/* Where an alias pointed before, as the registry's events tell (registry_history.h).
 *
 * A rollback goes back to the stay before the one that ends, and names it by the number of the event that the stay
 * began with ({"to_seq": "12"} in the detail of alias.rolled_back). So another rollback goes further back instead of
 * forth again, and what was left by a rollback is never gone back to:
 *
 *     set v1 ── set v2 ── set v3 ── rollback to v2 ── set v4 ── rollback to v2 ── rollback to v1
 *
 * Stays whose version is gone, and times in which the alias was not there, are passed over. */
#ifndef STORE_ALIAS_HISTORY_H
#define STORE_ALIAS_HISTORY_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

/* A version that held the alias, and when. */
struct alias_stay {
	int64_t event_seq; /* of the event that it began with */
	int64_t version;
	int64_t since_ms, until_ms;
};

/* The stay that a rollback goes back to; *found_out is false when there is none. Any connection; `arena` is for
 * scratch. One lookup in an index for each event that is passed over. */
MUST_CHECK bool alias_stay_before(struct db *db, struct model_pk pk, struct slice alias, struct arena *arena,
				  struct alias_stay *out, bool *found_out, struct error *err);
/* The latest stay at `version` before the present one. */
MUST_CHECK bool alias_stay_of_version(struct db *db, struct model_pk pk, struct slice alias, int64_t version,
				      struct arena *arena, struct alias_stay *out, bool *found_out,
				      struct error *err);
/* {"to_seq": "12"}: the detail of a rollback to this stay. In the arena. */
struct slice alias_stay_detail(const struct alias_stay *stay, struct arena *arena);

#endif
