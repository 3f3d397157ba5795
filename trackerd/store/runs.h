/* Runs in SQL: making, finding, updating, deleting and restoring them (mlflow-api.md §5). Reading
 * whole runs is runs_load.h.
 *
 * The tag mlflow.runName always says the same as the run's name: setting one sets the other. */
#ifndef STORE_RUNS_H
#define STORE_RUNS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* What a write must know of its run; one statement finds it. */
struct run_ref {
	struct run_pk pk;
	int64_t experiment_id;
	bool is_deleted;
};

/* Fails with RESOURCE_DOES_NOT_EXIST "Run with id=R not found". */
MUST_CHECK bool run_find(struct db *db, struct slice run_id, struct run_ref *out,
			 struct error *err);
/* Fails also for a deleted run: INVALID_PARAMETER_VALUE "The run R must be in the 'active' state.
 * Current state is deleted." */
MUST_CHECK bool run_find_active(struct db *db, struct slice run_id, struct run_ref *out,
				struct error *err);
/* Without the error: *found_out says. */
MUST_CHECK bool run_find_if_any(struct db *db, struct slice run_id, struct run_ref *out,
				bool *found_out, struct error *err);

struct run_new {
	struct slice run_id; /* 32 hexadecimal digits, not used yet */
	int64_t experiment_id;
	struct slice experiment_location; /* artifact location of that experiment */
	struct slice name;		  /* not empty */
	struct slice user_id;
	int64_t start_time_ms;
	struct key_value_list
		tags; /* any order, later ones of equal keys win; mlflow.runName is added */
};

/* The run starts RUNNING, with experiment_location/<run_id>/artifacts as its artifact address. The
 * experiment exists. `arena` is for scratch. */
MUST_CHECK bool run_insert_in_txn(struct db *db, const struct run_new *new, struct arena *arena,
				  struct run_pk *out, struct error *err);

struct run_changes {
	struct slice status_or_absent; /* RUNNING SCHEDULED FINISHED FAILED KILLED */
	bool has_end_time;
	int64_t end_time_ms;	     /* 0 takes it back */
	struct slice name_or_absent; /* not empty */
};

/* A status that ends the run also compacts its metrics. `arena` is for scratch. */
MUST_CHECK bool run_update_in_txn(struct db *db, struct run_pk run_pk,
				  const struct run_changes *changes, struct arena *arena,
				  struct error *err);
/* Both succeed whatever the state was. */
MUST_CHECK bool run_delete_in_txn(struct db *db, struct run_pk run_pk, int64_t now_ms,
				  struct error *err);
MUST_CHECK bool run_restore_in_txn(struct db *db, struct run_pk run_pk, struct error *err);

#endif
