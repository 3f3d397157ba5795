/* Looks up the names of a filter or an order in a search table, and words the errors. Private to search/. */
#ifndef SEARCH_FILTER_RESOLVER_H
#define SEARCH_FILTER_RESOLVER_H

#include "search/filter.h"

/* Fills family and field of every comparison under `root`, and checks operators and values. `text` is the whole
 * filter, for positions. */
MUST_CHECK bool filter_resolve(const struct search_table *table, struct slice text, struct filter_node *root,
			       struct error *err);

/* What an identifier means. */
struct filter_target {
	const struct search_family *family;
	const struct search_field *field;
	struct slice key; /* in KEYED families: without a statistic; else as written */
};

/* Finds what an identifier names; an absent entity is the attributes. `where` ends the sentence of an error:
 * " at position 3", or "". */
MUST_CHECK bool filter_resolve_identifier(const struct search_table *table, const struct filter_name *name,
					  bool for_order, const char *where, struct filter_target *out,
					  struct error *err);

#endif
