/* Experiments in SQL: making, finding, renaming, deleting and restoring them (mlflow-api.md §4).
 *
 * Functions that change something end in _in_txn and run inside the caller's transaction. A missing
 * experiment is RESOURCE_DOES_NOT_EXIST "No Experiment with id=N exists" everywhere. */
#ifndef STORE_EXPERIMENTS_H
#define STORE_EXPERIMENTS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

struct experiment_new {
	struct slice name;
	struct slice artifact_location; /* absent: artifact_root/<experiment_id> */
	struct slice artifact_root;
	int64_t now_ms;
	struct key_value_list tags; /* later ones of equal keys win */
};

/* Makes experiment 0 "Default" if there is none yet, in its own transaction. Called at every start,
 * after migrations_apply. `artifact_root` is "mlflow-artifacts:/" or what the option says. */
MUST_CHECK bool experiment_seed_default(struct db *db, struct slice artifact_root, int64_t now_ms,
					struct arena *arena, struct error *err);

/* RESOURCE_ALREADY_EXISTS for a name that is taken, also by a deleted experiment. */
MUST_CHECK bool experiment_insert_in_txn(struct db *db, const struct experiment_new *new,
					 struct arena *arena, int64_t *experiment_id_out,
					 struct error *err);

/* Gives it the location artifact_root/<experiment_id>. */
MUST_CHECK bool experiment_place_in_txn(struct db *db, int64_t experiment_id,
					struct slice artifact_root, struct arena *arena,
					struct error *err);

/* Whole experiments with their tags (sorted by key), in the arena: experiments_out[i] is
 * experiment_ids[i], which must exist (INTERNAL_ERROR otherwise). A constant number of statements
 * for each 500. */
MUST_CHECK bool experiments_load(struct db *db, const int64_t *experiment_ids, size_t count,
				 struct arena *arena, struct experiment *experiments_out,
				 struct error *err);
/* One experiment, deleted or not. */
MUST_CHECK bool experiment_load(struct db *db, int64_t experiment_id, struct arena *arena,
				struct experiment *out, struct error *err);
/* Likewise; missing is "Could not find experiment with name 'x'". */
MUST_CHECK bool experiment_load_by_name(struct db *db, struct slice name, struct arena *arena,
					struct experiment *out, struct error *err);
/* Its number, deleted or not; *found_out false when nothing has that name. */
MUST_CHECK bool experiment_find_by_name(struct db *db, struct slice name,
					int64_t *experiment_id_out, bool *found_out,
					struct error *err);
/* Fails also for a deleted one: INVALID_PARAMETER_VALUE "The experiment N must be in the 'active'
 * state. Current state is deleted." Gives its artifact location in the arena when
 * location_out_or_null is given. */
MUST_CHECK bool experiment_check_active(struct db *db, int64_t experiment_id, struct arena *arena,
					struct slice *location_out_or_null, struct error *err);

/* Refuses a deleted experiment and a name that is taken. */
MUST_CHECK bool experiment_rename_in_txn(struct db *db, int64_t experiment_id, struct slice name,
					 int64_t now_ms, struct error *err);
/* Deletes an active experiment with its runs, or restores a deleted one with all of its runs. In
 * the other state it counts as missing. */
MUST_CHECK bool experiment_delete_in_txn(struct db *db, int64_t experiment_id, int64_t now_ms,
					 struct error *err);
MUST_CHECK bool experiment_restore_in_txn(struct db *db, int64_t experiment_id, int64_t now_ms,
					  struct error *err);

#endif
