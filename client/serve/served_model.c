/* Owns the texts about a version that is served. */
#include "serve/served_model.h"

#include <stdlib.h>
#include <string.h>

bool served_model_copy(struct served_model *to, const struct served_model *from)
{
	*to = (struct served_model){strdup(from->name),	 strdup(from->path),
				    strdup(from->model), strdup(from->version),
				    strdup(from->alias), strdup(from->run_id)};
	return to->name != NULL && to->path != NULL && to->model != NULL && to->version != NULL &&
	       to->alias != NULL && to->run_id != NULL;
}

void served_model_deinit(struct served_model *m)
{
	free(m->name);
	free(m->path);
	free(m->model);
	free(m->version);
	free(m->alias);
	free(m->run_id);
	*m = (struct served_model){0};
}
