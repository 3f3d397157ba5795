/* Writes compiled filters as text, so that tests can compare trees. */
#ifndef FILTER_TEXT_HELPER_H
#define FILTER_TEXT_HELPER_H

#include "search/filter.h"

/* (and (> metric 'rmse' 1) (IN attribute 'run_id' ['a' 'b'])): families and attributes by their first names. */
const char *filter_text(const struct filter *filter, struct arena *arena);

#endif
