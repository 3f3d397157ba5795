/* Logged models in SQL: making, finalizing, tagging and deleting them (mlflow-api.md §7). Reading them is
 * logged_models_load.h, searching logged_model_search.h.
 *
 * Functions that change something end in _in_txn and run inside the caller's transaction. A missing model
 * is RESOURCE_DOES_NOT_EXIST "Logged model with ID 'X' not found." everywhere. Deleting only marks: all
 * that changes a model goes on working, as with MLflow's server, but reading asks for deleted ones by name. */
#ifndef STORE_LOGGED_MODELS_H
#define STORE_LOGGED_MODELS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/logged_model_entities.h"

/* Holds a JSON list of {"name", "version"}: the versions that were registered from the model. */
#define MODEL_VERSIONS_TAG SLICE("mlflow.modelVersions")

struct logged_model_new {
	struct slice model_id; /* not used yet */
	int64_t experiment_id;
	struct slice experiment_location;       /* artifact location of that experiment */
	struct slice name;                      /* not empty */
	struct slice model_type, source_run_id; /* absent ones become "" */
	struct key_value_list tags, params;     /* later tags of equal keys win; params as params_log */
	int64_t now_ms;
};

/* The model starts PENDING, with experiment_location/models/<model_id>/artifacts as its artifact address.
 * The experiment exists. `arena` is for scratch. */
MUST_CHECK bool logged_model_insert_in_txn(struct db *db, const struct logged_model_new *new, struct arena *arena,
					   struct logged_model_pk *out, struct error *err);
/* The first finds deleted ones as well, the second only with `allow_deleted`. */
MUST_CHECK bool logged_model_find_if_any(struct db *db, struct slice model_id, struct logged_model_pk *out,
					 bool *found_out, struct error *err);
MUST_CHECK bool logged_model_find(struct db *db, struct slice model_id, bool allow_deleted,
				  struct logged_model_pk *out, struct error *err);
/* The experiment of a model that this transaction found. */
MUST_CHECK bool logged_model_experiment(struct db *db, struct logged_model_pk pk, int64_t *experiment_id_out,
					struct error *err);
/* "READY" for LOGGED_MODEL_READY, as rows and filters spell it; and back, UNSPECIFIED for an unknown text. */
struct slice logged_model_status_text(enum logged_model_status status);
enum logged_model_status logged_model_status_from_text(struct slice text);
MUST_CHECK bool logged_model_finalize_in_txn(struct db *db, struct logged_model_pk pk, enum logged_model_status status,
					     int64_t now_ms, struct error *err);
/* Marks it deleted; again is no error. */
MUST_CHECK bool logged_model_delete_in_txn(struct db *db, struct logged_model_pk pk, int64_t now_ms,
					   struct error *err);

/* Upserts; later ones of equal keys win. `arena` is for scratch. */
MUST_CHECK bool logged_model_tags_set_in_txn(struct db *db, struct logged_model_pk pk, struct key_value_list tags,
					     struct arena *arena, struct error *err);
/* *deleted_out false when there was no such tag. */
MUST_CHECK bool logged_model_tag_delete_in_txn(struct db *db, struct logged_model_pk pk, struct slice key,
					       bool *deleted_out, struct error *err);
/* The same value again is fine; another one is INVALID_PARAMETER_VALUE. `arena` is for scratch. */
MUST_CHECK bool logged_model_params_log_in_txn(struct db *db, struct logged_model_pk pk,
					       struct key_value_list params, struct arena *arena,
					       struct error *err);

#endif
