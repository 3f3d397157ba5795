/* Writing logged models that another tracker kept, with their ids, times and states (see import.h). Inside the
 * caller's transaction. */
#ifndef STORE_IMPORT_LOGGED_MODELS_H
#define STORE_IMPORT_LOGGED_MODELS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/import.h"
#include "store/logged_model_entities.h"

struct import_logged_model {
	struct slice model_id;
	int64_t experiment_id; /* of an existing experiment */
	struct slice name, model_type, source_run_id, status_message; /* absent ones are not known */
	enum logged_model_status status;
	int64_t creation_time_ms, last_updated_time_ms;
	bool is_deleted;
	struct slice source_artifact_uri;
	bool keeps_artifacts; /* they stay there */
	struct slice artifact_root;
	struct key_value_list tags, params;
	struct logged_model_metric_list metrics;
	bool is_whole; /* nothing more comes: until then it reads PENDING */
};

struct import_logged_model_result {
	enum import_run_state state; /* before this call */
	struct slice artifact_uri;   /* where its artifacts belong */
	size_t metrics_left_out;     /* those of runs that are not here */
};

/* What is there stays, and what it lacks is added. *out is in the arena. */
MUST_CHECK bool import_logged_model_in_txn(struct db *db, const struct import_logged_model *model,
					   struct arena *arena, struct import_logged_model_result *out,
					   struct error *err);

#endif
