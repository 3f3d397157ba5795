/* What may be asked of experiments: attributes and tags. Statements select from experiments AS e. */
#ifndef SEARCH_EXPERIMENT_FIELDS_H
#define SEARCH_EXPERIMENT_FIELDS_H

#include "search/search_table.h"

extern const struct search_table experiment_search_table;

#endif
