/* The environment of a command that is told what it works on. */
#ifndef SERVE_ENVIRONMENT_H
#define SERVE_ENVIRONMENT_H

#include "base/arena.h"

struct variable {
	const char *name, *value;
};

/* Ours with these variables in it, in place of those of their names; ends with NULL. In the arena; what is ours
 * stays borrowed. */
char **environment_with(struct arena *arena, const struct variable *variables, size_t count);

#endif
