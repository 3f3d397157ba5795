/* Model versions in SQL (spec/mlflow-api.md §6). A missing version is RESOURCE_DOES_NOT_EXIST "Model Version
 * (name=X, version=N) not found" everywhere. */
#ifndef STORE_MODEL_VERSIONS_H
#define STORE_MODEL_VERSIONS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

struct model_version_new {
	struct slice name; /* of an existing model */
	/* Absent ones become "". */
	struct slice source, storage_location, run_id, run_link, description, user_id, model_id;
	struct key_value_list tags;
	int64_t now_ms;
};

/* Writes the row of a version with its number, times, stage and status, and its tags: one that is brought back or comes
 * from elsewhere. RESOURCE_ALREADY_EXISTS when the model, v->model_pk, has that number. Its next one will be beyond. */
MUST_CHECK bool model_version_put_in_txn(struct db *db, const struct model_version *v, struct error *err);
/* Takes the next number, which is never used again, also after a deletion. */
MUST_CHECK bool model_version_insert_in_txn(struct db *db, const struct model_version_new *new, int64_t *version_out,
					    struct error *err);
/* Version `version` of model `name`, with tags and aliases. */
MUST_CHECK bool model_version_load(struct db *db, struct slice name, int64_t version, struct arena *arena,
				   struct model_version *out, struct error *err);
/* Likewise for rows that a search found. */
MUST_CHECK bool model_version_load_by_pk(struct db *db, struct model_pk pk, int64_t version, struct arena *arena,
					 struct model_version *out, struct error *err);
/* Does it exist? Fails if not. */
MUST_CHECK bool model_version_check(struct db *db, struct slice name, int64_t version, struct model_pk *pk_out,
				    struct error *err);
/* The highest version of each stage of `stages` (all stages when count is 0), in order of version. */
MUST_CHECK bool model_versions_latest(struct db *db, struct model_pk pk, const struct slice *stages,
				      size_t stage_count, struct arena *arena, struct model_version_list *out,
				      struct error *err);
/* All versions, or those in a stage when it is present. */
MUST_CHECK bool model_versions_list(struct db *db, struct model_pk pk, struct slice stage_or_absent,
				    struct arena *arena, struct version_list *out, struct error *err);
/* Moves the version's own time only. */
MUST_CHECK bool model_version_describe_in_txn(struct db *db, struct model_pk pk, int64_t version,
					      struct slice description, int64_t now_ms, struct error *err);
/* `stage` is canonical. With `archive_others` all other versions in that stage become Archived. */
MUST_CHECK bool model_version_move_in_txn(struct db *db, struct model_pk pk, int64_t version, struct slice stage,
					  bool archive_others, int64_t now_ms, struct error *err);
/* With its tags and aliases; it is remembered in deleted_versions.h. */
MUST_CHECK bool model_version_delete_in_txn(struct db *db, struct model_pk pk, int64_t version, int64_t now_ms,
					    struct error *err);
/* The value of a tag, in the arena; absent when there is no such tag. */
MUST_CHECK bool model_version_tag_find(struct db *db, struct model_pk pk, int64_t version, struct slice key,
				       struct arena *arena, struct slice *out, struct error *err);
MUST_CHECK bool model_version_tag_set_in_txn(struct db *db, struct model_pk pk, int64_t version,
					     struct key_value tag, struct error *err);
MUST_CHECK bool model_version_tag_delete_in_txn(struct db *db, struct model_pk pk, int64_t version, struct slice key,
						struct error *err);

#endif
