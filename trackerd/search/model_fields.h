/* What may be asked of registered models and of model versions. Statements select from registered_models AS m, and for
 * versions from model_versions AS v JOIN registered_models AS m USING (model_pk). */
#ifndef SEARCH_MODEL_FIELDS_H
#define SEARCH_MODEL_FIELDS_H

#include "search/search_table.h"

/* The tag that makes a registered model a prompt; a thing without it counts as having "false". */
#define PROMPT_TAG "mlflow.prompt.is_prompt"

extern const struct search_table model_search_table;
extern const struct search_table model_version_search_table;

#endif
