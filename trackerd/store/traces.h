/* Traces in SQL: making, changing, linking and deleting them (mlflow-api.md §10). Assessments: store/assessments.h;
 * reading whole traces: store/traces_load.h.
 *
 * A missing trace is RESOURCE_DOES_NOT_EXIST "Trace with ID 'x' not found." everywhere. Functions that end in _in_txn
 * run inside the caller's transaction. */
#ifndef STORE_TRACES_H
#define STORE_TRACES_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/trace_entities.h"

/* Where the spans of a trace are: <experiment>/traces/<trace_id>/artifacts. */
#define TRACE_LOCATION_TAG SLICE("mlflow.artifactLocation")

MUST_CHECK bool trace_find(struct db *db, struct slice trace_id, struct trace_pk *out, struct error *err);
/* Likewise, without failing: *found_out. */
MUST_CHECK bool trace_find_if_any(struct db *db, struct slice trace_id, struct trace_pk *out, bool *found_out,
				  struct error *err);

/* The experiment of a trace that this transaction found. */
MUST_CHECK bool trace_experiment(struct db *db, struct trace_pk pk, int64_t *experiment_id_out, struct error *err);

/* Makes the trace, or brings the one of that id up to date: a client that sends it again changes nothing. Sets pk,
 * and the tag mlflow.artifactLocation from `experiment_location`. Tags, metadata and assessments are added to those
 * that an older one has, whose previews stay where the new one has none. *is_new_out false when there was one. */
MUST_CHECK bool trace_put_in_txn(struct db *db, struct trace *trace, struct slice experiment_location,
				 struct arena *arena, bool *is_new_out, struct error *err);
/* The V2 way to end a trace: it took until end_time_ms. */
MUST_CHECK bool trace_end_in_txn(struct db *db, struct trace_pk pk, int64_t end_time_ms, struct slice state,
				 struct error *err);

/* Upserts; later ones of equal keys win. `arena` is for scratch. */
MUST_CHECK bool trace_tags_set_in_txn(struct db *db, struct trace_pk pk, struct key_value_list tags,
				      struct arena *arena, struct error *err);
MUST_CHECK bool trace_metadata_set_in_txn(struct db *db, struct trace_pk pk, struct key_value_list metadata,
					  struct arena *arena, struct error *err);
/* *deleted_out false when there was no such tag. */
MUST_CHECK bool trace_tag_delete_in_txn(struct db *db, struct trace_pk pk, struct slice key, bool *deleted_out,
					struct error *err);

/* Both ids may be of things that do not exist (yet). Linking twice is linking once. */
MUST_CHECK bool trace_link_run_in_txn(struct db *db, struct slice trace_id, struct slice run_id, struct error *err);
/* `prompt` is "name/version". */
MUST_CHECK bool trace_link_prompt_in_txn(struct db *db, struct trace_pk pk, struct slice prompt, struct error *err);

/* Which traces of one experiment a deletion means: those of `trace_ids`, or if there are none, those that began at
 * max_time_ms or before, the oldest first. */
struct trace_selection {
	int64_t experiment_id;
	const struct slice *trace_ids;
	size_t trace_id_count;
	int64_t max_time_ms;
};
struct trace_ref {
	struct trace_pk pk;
	struct slice trace_id;
};
struct trace_ref_list {
	struct trace_ref *items;
	size_t count;
};
/* The first `count_max` of them, in the arena. */
MUST_CHECK bool traces_select(struct db *db, const struct trace_selection *selection, size_t count_max,
			      struct arena *arena, struct trace_ref_list *out, struct error *err);
/* With all that hangs on it. */
MUST_CHECK bool trace_delete_in_txn(struct db *db, const struct trace_ref *trace, struct error *err);

/* trace_directory_uri of a trace, where its experiment is now. Fails like trace_find. */
MUST_CHECK bool trace_location(struct db *db, struct slice trace_id, struct arena *arena, struct slice *uri_out,
			       struct error *err);
/* "<experiment_location>/traces/<trace_id>", in the arena: the directory of all that belongs to a trace. */
struct slice trace_directory_uri(struct slice experiment_location, struct slice trace_id, struct arena *arena);

#endif
