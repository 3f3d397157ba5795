/* Writing what another tracker kept, with its ids, times and states (trk import).
 *
 * Every function can be called again with the same or with more: it adds what is missing. Unlike the functions
 * that clients' logging uses, none asks whether an experiment or a run is active, since deleted ones come over
 * with all they hold.
 *
 * A run comes in one call or in several. It is RUNNING and without an end until the call that says `is_whole`
 * sets its status and times, in the same transaction as the last of its data: a run that reads FINISHED is all
 * there. run_imports remembers the digest of what came, by which an importer passes over what it brought before,
 * and what is only half there.
 *
 * A run that is there and that no import made is another's: points, parameters and tags that it lacks are added,
 * its name and state stay. Everything runs inside the caller's transaction. */
#ifndef STORE_IMPORT_H
#define STORE_IMPORT_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"
#include "store/metrics.h"

/* Times that the source does not know are -1; texts are absent. */
struct import_experiment {
	int64_t wanted_id;		      /* kept when it is free */
	struct slice name;
	struct slice location_or_absent;      /* absent: artifact_root/<experiment_id> */
	struct slice artifact_root;
	bool is_deleted;
	int64_t creation_time_ms, last_update_time_ms;
	struct key_value_list tags;
};

struct import_experiment_result {
	int64_t experiment_id;
	bool is_new; /* else the experiment of that name, to which the tags it lacks were added */
};

MUST_CHECK bool import_experiment_in_txn(struct db *db, const struct import_experiment *experiment,
					 struct arena *arena, struct import_experiment_result *out,
					 struct error *err);

enum import_run_state {
	IMPORT_RUN_NONE,    /* there is no such run */
	IMPORT_RUN_PARTIAL, /* begun and not ended */
	IMPORT_RUN_WHOLE,
	IMPORT_RUN_OTHER,   /* a run that no import made */
};

/* digest_out: in the arena, of a whole one; else absent. Read-only connections too. */
MUST_CHECK bool import_run_state(struct db *db, struct slice run_id, struct arena *arena,
				 enum import_run_state *out, struct slice *digest_out, struct error *err);

struct import_run {
	struct slice run_id;
	int64_t experiment_id; /* of an existing experiment */
	struct slice name;     /* not empty */
	struct slice user_id, status;
	int64_t start_time_ms, end_time_ms, deleted_time_ms;
	bool is_deleted;
	struct slice source_artifact_uri;
	bool keeps_artifacts; /* they stay at source_artifact_uri; else the run gets an address of this server */
	struct slice artifact_root;
	struct key_value_list tags;
	struct key_value_list params; /* distinct keys */
	const struct metric_point *points;
	size_t point_count;
	struct dataset_input_list datasets;
	struct model_input_list model_inputs;
	struct model_output_list model_outputs;
	bool is_whole;	     /* nothing more comes … */
	struct slice digest; /* … and this describes all that came */
};

/* artifact_uri_out: where its artifacts belong, in the arena. */
MUST_CHECK bool import_run_in_txn(struct db *db, const struct import_run *run, struct arena *arena,
				  struct slice *artifact_uri_out, struct error *err);

/* An address of this server for what has `path` within an experiment: below the experiment's location, if that is
 * this server's, else below the root. Absent when neither is. In the arena. */
MUST_CHECK bool import_own_artifact_uri(struct db *db, int64_t experiment_id, struct slice artifact_root,
					struct slice path, struct arena *arena, struct slice *out, struct error *err);

#endif
