/* Writing registered models and versions that another tracker kept, with their numbers, times and stages (see
 * import.h). What is there stays; what is missing is added. Inside the caller's transaction. */
#ifndef STORE_IMPORT_MODELS_H
#define STORE_IMPORT_MODELS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

struct import_model {
	struct slice name;
	struct slice description; /* absent: "" */
	int64_t creation_time_ms, last_updated_time_ms;
	struct key_value_list tags;
};

/* What an import changed. Lists are in the arena. */
struct import_model_result {
	struct model_pk pk;
	bool is_new; /* false: it was there, and got what it lacked */
	struct key_value_list added_tags;
	struct model_alias_list added_aliases; /* of a version */
};

MUST_CHECK bool import_model_in_txn(struct db *db, const struct import_model *model, struct arena *arena,
				    struct import_model_result *out, struct error *err);

struct import_version {
	struct slice name; /* of an existing model */
	int64_t version;   /* >= 1; the model's next number will be beyond it */
	struct slice description, user_id, run_id, run_link, status_message; /* absent: "" */
	struct slice stage, status;	    /* canonical */
	struct slice source;
	struct slice storage_location;	    /* absent: the source */
	int64_t creation_time_ms, last_updated_time_ms;
	struct key_value_list tags;
	const struct slice *aliases; /* that point at it; one that points at another version here stays there */
	size_t alias_count;
};

/* An address below that of the artifacts of an imported run becomes the one that the run has here. Fails with
 * RESOURCE_CONFLICT when the model has another version of that number: one made at another time. */
MUST_CHECK bool import_version_in_txn(struct db *db, const struct import_version *version, struct arena *arena,
				      struct import_model_result *out, struct error *err);

#endif
