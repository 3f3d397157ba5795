/* Parses a filter into a tree whose names are not looked up yet. Private to search/; see filter.h. */
#ifndef SEARCH_FILTER_PARSER_H
#define SEARCH_FILTER_PARSER_H

#include "search/filter.h"

/* *root_out is NULL for a blank text. Borrows the text for the tree's life. */
MUST_CHECK bool filter_parse(struct slice text, struct arena *arena, struct filter_node **root_out,
			     struct error *err);

#endif
