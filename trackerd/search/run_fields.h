/* What may be asked of runs: metrics, params, tags, attributes and datasets. Statements select from
 * runs AS r; they may use any other alias but those of order_by.c (o0, o1, …), k, l and d. */
#ifndef SEARCH_RUN_FIELDS_H
#define SEARCH_RUN_FIELDS_H

#include "search/search_table.h"

extern const struct search_table run_search_table;

#endif
