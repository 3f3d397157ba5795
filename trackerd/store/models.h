/* Registered models in SQL (spec/mlflow-api.md §6). Functions ending in _in_txn run inside the caller's transaction. A
 * missing model is RESOURCE_DOES_NOT_EXIST "Registered Model with name=X not found" everywhere. */
#ifndef STORE_MODELS_H
#define STORE_MODELS_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/model_entities.h"

/* RESOURCE_ALREADY_EXISTS for a name that is taken. Later tags of equal keys win. */
MUST_CHECK bool model_insert_in_txn(struct db *db, struct slice name, struct slice description,
				    struct key_value_list tags, int64_t now_ms, struct error *err);
/* Writes the row of a model with its times, and its tags: one that is brought back or comes from elsewhere. The name is
 * free. */
MUST_CHECK bool model_put_in_txn(struct db *db, const struct registered_model *model, struct model_pk *pk_out,
				 struct error *err);
MUST_CHECK bool model_find(struct db *db, struct slice name, struct model_pk *out, struct error *err);
/* Without the error: *found says. */
MUST_CHECK bool model_find_if_any(struct db *db, struct slice name, struct model_pk *out, bool *found,
				  struct error *err);
/* Do these tags, of a model or a version, make it a prompt? */
bool model_tags_make_prompt(struct key_value_list tags);
/* Is the model a prompt? False for one that is not there. */
MUST_CHECK bool model_is_prompt(struct db *db, struct slice name, bool *is_prompt_out, struct error *err);
/* The whole model with tags, aliases and latest versions. */
MUST_CHECK bool model_load(struct db *db, struct model_pk pk, struct arena *arena, struct registered_model *out,
			   struct error *err);
MUST_CHECK bool model_rename_in_txn(struct db *db, struct slice name, struct slice new_name, int64_t now_ms,
				    struct error *err);
MUST_CHECK bool model_describe_in_txn(struct db *db, struct slice name, struct slice description, int64_t now_ms,
				      struct error *err);
/* Deletes it with versions, which are remembered in deleted_versions.h, tags and aliases. */
MUST_CHECK bool model_delete_in_txn(struct db *db, struct slice name, int64_t now_ms, struct error *err);
/* Moves last_updated: a version was created, deleted or transitioned. */
MUST_CHECK bool model_touch_in_txn(struct db *db, struct model_pk pk, int64_t now_ms, struct error *err);

/* The value of a tag, in the arena; absent when there is no such tag. */
MUST_CHECK bool model_tag_find(struct db *db, struct model_pk pk, struct slice key, struct arena *arena,
			       struct slice *out, struct error *err);
MUST_CHECK bool model_tag_set_in_txn(struct db *db, struct model_pk pk, struct key_value tag, struct error *err);
/* A missing tag is no error. */
MUST_CHECK bool model_tag_delete_in_txn(struct db *db, struct model_pk pk, struct slice key, struct error *err);

/* Points an alias at a version, which must exist. */
MUST_CHECK bool model_alias_set_in_txn(struct db *db, struct model_pk pk, struct slice alias, int64_t version,
				       struct error *err);
/* A missing alias is no error. */
MUST_CHECK bool model_alias_delete_in_txn(struct db *db, struct model_pk pk, struct slice alias, struct error *err);
/* The version that an alias points at; "latest" in any case is the highest one. A missing alias is
 * INVALID_PARAMETER_VALUE "Registered model alias X not found." as clients expect; a missing latest version of the
 * model called `name` is RESOURCE_DOES_NOT_EXIST. */
MUST_CHECK bool model_alias_find(struct db *db, struct model_pk pk, struct slice name, struct slice alias,
				 int64_t *version_out, struct error *err);

#endif
