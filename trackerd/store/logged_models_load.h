/* Loads whole logged models for replies: a constant number of statements for any number of models. */
#ifndef STORE_LOGGED_MODELS_LOAD_H
#define STORE_LOGGED_MODELS_LOAD_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/logged_model_entities.h"

/* models_out[i] gets everything of pks[i] (which must exist, each once). In the arena. */
MUST_CHECK bool logged_models_load(struct db *db, const int64_t *pks, size_t count, struct arena *arena,
				   struct logged_model *models_out, struct error *err);
/* One model by its id; finds deleted ones only with `allow_deleted`. */
MUST_CHECK bool logged_model_load(struct db *db, struct slice model_id, bool allow_deleted, struct arena *arena,
				  struct logged_model *out, struct error *err);

#endif
