/* A version that is, or is to be, served: what it is, and where its files are. */
#ifndef SERVE_SERVED_MODEL_H
#define SERVE_SERVED_MODEL_H

#include <stdbool.h>

/* Texts are "" where there is nothing. */
struct served_model {
	char *name; /* tells versions apart, also two of one number */
	char *path; /* folder of its files */
	char *model, *version, *alias, *run_id;
};

/* Copies all texts; what a failure (no memory) leaves is freed by served_model_deinit. */
bool served_model_copy(struct served_model *to, const struct served_model *from);
void served_model_deinit(struct served_model *m);

#endif
