/* Owns what all sources of an import share: the lists that their items hold. */
#include "cli/import_source.h"

#include <string.h>

/* Room for one more item in a list that doubles: capacities are the powers of two. */
static void *grown(void *items, size_t count, size_t item_bytes, struct arena *arena)
{
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	void *larger = arena_alloc(arena, count == 0 ? 1 : 2 * count, item_bytes);
	if (count > 0)
		memcpy(larger, items, count * item_bytes);
	return larger;
}

void import_pairs_add(struct import_pairs *list, struct slice key, struct slice value,
		      struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = (struct import_pair){key, value};
}

void import_datasets_add(struct import_datasets *list, struct import_dataset dataset,
			 struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = dataset;
}

void import_model_links_add(struct import_model_links *list, struct import_model_link link,
			    struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = link;
}

void import_model_metrics_add(struct import_model_metrics *list, struct import_model_metric metric,
			      struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = metric;
}

void import_aliases_add(struct import_aliases *list, struct import_alias alias, struct arena *arena)
{
	list->items = grown(list->items, list->count, sizeof(list->items[0]), arena);
	list->items[list->count++] = alias;
}
