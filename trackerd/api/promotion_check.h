/* Does a version meet the requirements of its model? Reads the requirements, what is known of the version, and of who
 * holds the aliases that the requirements name: all from tracker.db, in the caller's transaction, so that nothing
 * changes between the check and what is done because of it. */
#ifndef API_PROMOTION_CHECK_H
#define API_PROMOTION_CHECK_H

#include "base/json_writer.h"
#include "db/db.h"
#include "search/requirement_check.h"
#include "store/model_entities.h"

struct promotion_checks {
	struct requirement_check *items; /* in the order of the requirements */
	size_t count, failed_count;
	int64_t holder; /* the version that holds the alias now; 0: nobody does */
};

/* Version `version` of the model, which must exist, is to hold `alias`. In the arena. */
MUST_CHECK bool promotion_check(struct db *tracker, struct model_pk pk, struct slice name, int64_t version,
				struct slice alias, struct arena *arena, struct promotion_checks *out,
				struct error *err);
/* "checks": [{"requirement", "ok", "origin", "value", "limit", "text"}…] */
void promotion_checks_json(struct json_writer *w, const struct promotion_checks *checks);

#endif
