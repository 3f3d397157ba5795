/* Moving an alias: the one way in which aliases are set, promoted, rolled back and deleted by requests.
 *
 * The revision of an alias is the number of the event that last moved it; "0" when it is not there. If-Match of the
 * request, if sent, must name the revision that the alias has ("*": any, as long as it is there); else
 * PRECONDITION_FAILED tells who moved it, when, to which version and what its revision is. Pointing an alias at the
 * version that it has is no event and leaves the revision as it is. Protected aliases (model_rules.h) are only promoted
 * and rolled back; setting or deleting one is PERMISSION_DENIED. */
#ifndef API_ALIAS_MOVE_H
#define API_ALIAS_MOVE_H

#include "api/endpoint.h"
#include "store/registry_history.h"

struct alias_move {
	enum registry_kind kind; /* REGISTRY_ALIAS_SET, _PROMOTED, _ROLLED_BACK or _DELETED */
	struct model_pk model_pk;
	struct slice name, alias;    /* of the model; the alias */
	int64_t version;             /* an existing one; 0 for _DELETED */
	struct slice reason, detail; /* as in struct model_change */
};
struct alias_moved {
	int64_t previous_version; /* 0: it was not there */
	int64_t revision;         /* that it has now; 0 when it is gone */
};

/* For `execute` of a write. Sets call->etag to the revision. */
MUST_CHECK bool alias_move_in_txn(struct call *call, struct db *tracker, const struct alias_move *move,
				  struct alias_moved *out, struct error *err);

#endif
