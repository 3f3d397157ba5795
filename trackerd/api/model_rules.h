/* The rules of a model: the endpoints that show and set them, and what keeps protected aliases where they are. */
#ifndef API_MODEL_RULES_H
#define API_MODEL_RULES_H

#include "api/endpoint.h"
#include "store/model_entities.h"

extern const struct endpoint model_rules_get; /* GET /api/trackerd/v1/models/{name}/rules */
extern const struct endpoint model_rules_put; /* PUT likewise */

/* Fails with PERMISSION_DENIED, in a sentence that says what to do instead, when the alias is protected and would be
 * pointed at `version` (0: deleted) without a promotion. */
MUST_CHECK bool model_rules_allow_alias(struct db *tracker, struct model_pk pk, struct slice name, struct slice alias,
					int64_t version, struct error *err);
/* Likewise when a protected alias would be lost with the version (0: with the whole model). */
MUST_CHECK bool model_rules_allow_deletion(struct call *call, struct db *tracker, struct model_pk pk,
					   struct slice name, int64_t version, struct error *err);

#endif
