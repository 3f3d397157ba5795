/* Tags of runs and experiments in SQL: upserted and deleted. Run tags' keys are interned names. Rows of texts by key
 * that belong to other things are upserted here, too. */
#ifndef STORE_TAGS_H
#define STORE_TAGS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

/* Holds the run's name. */
#define RUN_NAME_TAG SLICE("mlflow.runName")

/* Upserts in key order; later ones of equal keys win. Setting mlflow.runName renames the run; an
 * empty value of it is left out, since a run is never without a name. `arena` is for scratch. */
MUST_CHECK bool run_tags_set_in_txn(struct db *db, struct run_pk run_pk, struct key_value_list tags,
				    struct arena *arena, struct error *err);
/* *deleted_out false when there was no such tag. Deleting mlflow.runName leaves the run's name. */
MUST_CHECK bool run_tag_delete_in_txn(struct db *db, struct run_pk run_pk, struct slice key,
				      bool *deleted_out, struct error *err);
/* Its value in the arena; absent when there is no such tag. */
MUST_CHECK bool run_tag_find(struct db *db, struct run_pk run_pk, struct slice key, struct arena *arena,
			     struct slice *out, struct error *err);

/* The experiment exists. */
MUST_CHECK bool experiment_tags_set_in_txn(struct db *db, int64_t experiment_id,
					   struct key_value_list tags, struct arena *arena,
					   struct error *err);
MUST_CHECK bool experiment_tag_delete_in_txn(struct db *db, int64_t experiment_id, struct slice key,
					     bool *deleted_out, struct error *err);

/* Rows (owner, key, value) of any table: `upsert` takes the owner, which exists, as $1, the key as $2, the value as $3.
 * In key order; later ones of equal keys win. `arena` is for scratch. */
MUST_CHECK bool key_value_rows_set_in_txn(struct db *db, struct sql upsert, int64_t owner, struct key_value_list list,
					  struct arena *arena, struct error *err);

#endif
