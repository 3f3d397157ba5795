/* The registry's rules for names, tags, aliases, versions and stages (spec/mlflow-api.md §2, §6). Pure; any thread.
 * Each fails with INVALID_PARAMETER_VALUE in MLflow's words. */
#ifndef API_MODEL_VALIDATION_H
#define API_MODEL_VALIDATION_H

#include "api/fields.h"
#include "base/error.h"
#include "store/entities.h"

/* A tag as requests carry it: struct key_value, with the table for FIELD_OBJECTS. */
extern const struct field model_tag_fields[];

MUST_CHECK bool model_check_name(struct slice name, struct error *err);
MUST_CHECK bool model_check_tag(struct key_value tag, struct error *err);
/* The name of a tag that is to be deleted: no tag has a longer one, so that nothing is there to be deleted. */
MUST_CHECK bool model_check_tag_name(struct slice key, struct error *err);
MUST_CHECK bool model_check_tags(const struct object_list *tags, struct key_value_list *out, struct error *err);
/* One that may be asked for; of a new one the words that mean a version are refused as well. */
MUST_CHECK bool model_check_alias(struct slice alias, struct error *err);
MUST_CHECK bool model_check_new_alias(struct slice alias, struct error *err);
/* Why somebody changes something: absent, or UTF-8 of at most REGISTRY_REASON_BYTES_MAX bytes. */
MUST_CHECK bool model_check_reason(struct slice reason, struct error *err);
/* "3" → 3. */
MUST_CHECK bool model_check_version(struct slice text, int64_t *out, struct error *err);
/* Any case in, canonical out: None, Staging, Production, Archived. */
MUST_CHECK bool model_check_stage(struct slice text, struct slice *out, struct error *err);

#endif
