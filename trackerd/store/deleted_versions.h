/* Versions that were deleted and can be restored (model_restore.c): what they need is asked for by
 * artifacts/version_needs.h. Their states are in the registry's history. */
#ifndef STORE_DELETED_VERSIONS_H
#define STORE_DELETED_VERSIONS_H

#include "db/db.h"
#include "store/model_entities.h"

/* Before version `version_or_0` of the model is deleted, or with 0 all of them. */
MUST_CHECK bool deleted_versions_add_in_txn(struct db *db, struct model_pk pk, int64_t version_or_0, int64_t now_ms,
					    struct error *err);
/* When the version is put back; fine if it was never deleted. */
MUST_CHECK bool deleted_versions_remove_in_txn(struct db *db, struct model_pk pk, int64_t version, struct error *err);

#endif
