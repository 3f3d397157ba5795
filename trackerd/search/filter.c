/* Compiles filters: parses, resolves, and answers questions about the result. */
#include "search/filter.h"

#include "search/filter_parser.h"
#include "search/filter_resolver.h"

static bool node_mentions(const struct filter_node *node, const char *family,
			  const char *key_or_null);

bool filter_compile(const struct search_table *table, struct slice text, struct arena *arena,
		    struct filter *out, struct error *err)
{
	struct filter_node *root = NULL;
	if (!filter_parse(text, arena, &root, err))
		return false;
	if (root != NULL && !filter_resolve(table, text, root, err))
		return false;
	*out = (struct filter){.table = table, .root_or_null = root};
	return true;
}

bool filter_mentions(const struct filter *filter, const char *family, const char *key_or_null)
{
	return filter->root_or_null != NULL &&
	       node_mentions(filter->root_or_null, family, key_or_null);
}

static bool node_mentions(const struct filter_node *node, const char *family,
			  const char *key_or_null)
{
	if (node->kind == FILTER_COMPARISON)
		return strcmp(node->comparison.family->names[0], family) == 0 &&
		       (key_or_null == NULL || slice_eq_cstr(node->comparison.key, key_or_null));
	const struct filter_node *child = node->first_child_or_null;
	for (; child != NULL; child = child->next_sibling_or_null) {
		if (node_mentions(child, family, key_or_null))
			return true;
	}
	return false;
}
