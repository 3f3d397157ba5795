/* What the registry gives out: registered models and their versions, in the caller's arena. */
#ifndef STORE_MODEL_ENTITIES_H
#define STORE_MODEL_ENTITIES_H

#include "store/entities.h"
#include "store/logged_model_entities.h"

struct model_pk {
	int64_t value;
};

struct model_alias {
	struct slice alias;
	int64_t version;
};
struct model_alias_list {
	struct model_alias *items; /* sorted by alias */
	size_t count;
};

/* Numbers of versions of one model, in order. */
struct version_list {
	int64_t *items;
	size_t count;
};

struct model_version {
	struct model_pk model_pk;
	struct slice name;
	int64_t version;
	struct slice description, user_id, stage, source, storage_location, run_id, run_link, status, status_message;
	struct slice model_id; /* of the logged model it comes from; may be empty */
	const struct logged_model *logged_model_or_null; /* only where model_lineage_load was called */
	int64_t creation_time_ms, last_updated_time_ms;
	struct key_value_list tags;      /* sorted by key */
	struct model_alias_list aliases; /* those that point at this version */
};
struct model_version_list {
	struct model_version *items;
	size_t count;
};

struct registered_model {
	struct model_pk pk;
	struct slice name, description;
	int64_t creation_time_ms, last_updated_time_ms;
	struct key_value_list tags;
	struct model_alias_list aliases;
	struct model_version_list latest_versions; /* highest version of each stage */
};

#endif
