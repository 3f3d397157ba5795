/* Remembers and tells what an endpoint changed in the registry: the one function that everybody calls who changes it.
 *
 * model_change records the event in the registry's history with who did it (store/registry_history.h), in the
 * transaction of the change, emits the event that MLflow's webhooks know, if there is one, and has live events told. */
#ifndef API_MODEL_EVENTS_H
#define API_MODEL_EVENTS_H

#include "api/endpoint.h"
#include "store/registry_history.h"

/* A change that was made, or, of a deletion of a model, is about to be made: its row must be there. */
struct model_change {
	enum registry_kind kind;
	struct model_pk model_pk;
	struct slice name;  /* of the model, after the change */
	int64_t version;    /* of version.*, guard.forced; else 0 */
	struct slice key;   /* of the tag, or the alias */
	/* What it was and what it is; absent: not there. Of name, description, stage and tags the text; of rules
	 * JSON. */
	struct slice before, after;
	/* Of an alias: where it pointed and where it points; 0: nowhere. */
	int64_t before_version, after_version;
	/* Of what is created, deleted or restored: the whole of it, with its tags. One of the two. */
	const struct registered_model *model_or_null;
	const struct model_version *version_or_null;
	struct slice reason; /* a person's; may be absent */
	struct slice detail; /* a JSON object; may be absent */
	bool is_part;        /* of a greater change that is told itself: webhooks hear nothing of this one */
	struct slice actor;  /* who does it when the request's headers do not say; may be absent */

	/* Set by model_change: its number; 0 when `before` equals `after`, which is no event. */
	int64_t seq;
};

/* For `execute`, after the change (deletions of models and versions: before it), in its transaction. Webhooks are told
 * also of what changed nothing, as MLflow does. Fails with INVALID_PARAMETER_VALUE for headers that are no names. */
MUST_CHECK bool model_change(struct call *call, struct db *tracker, struct model_change *change, struct error *err);
/* Remembers that aliases go with the version or the model that is about to be deleted. */
MUST_CHECK bool model_changes_aliases_gone(struct call *call, struct db *tracker, struct model_pk pk, struct slice name,
					   const struct model_alias_list *aliases, struct error *err);
/* Remembers tags that were added to a model, or to a version of it, which had none of these keys. */
MUST_CHECK bool model_changes_tags_added(struct call *call, struct db *tracker, struct model_pk pk, struct slice name,
					 int64_t version_or_0, const struct key_value_list *tags,
					 struct error *err);

#endif
