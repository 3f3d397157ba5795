/* Owns sorting of and looking into lists of tags and parameters. */
#include "store/key_values.h"

#include <stdlib.h>

static int compare_stably(const void *a, const void *b);
static int compare_keys(const void *a, const void *b);

struct key_value_list key_values_sorted(struct key_value_list list, struct arena *arena)
{
	if (list.count == 0)
		return (struct key_value_list){0};
	/* Pointers are sorted, not items: their addresses say which of equal keys came first. */
	const struct key_value **order = ARENA_NEW(arena, const struct key_value *, list.count);
	for (size_t i = 0; i < list.count; i++)
		order[i] = &list.items[i];
	qsort(order, list.count, sizeof(*order), compare_stably);
	struct key_value *items = ARENA_NEW(arena, struct key_value, list.count);
	for (size_t i = 0; i < list.count; i++)
		items[i] = *order[i];
	return (struct key_value_list){items, list.count};
}

struct key_value_list key_values_sorted_unique(struct key_value_list list, struct arena *arena)
{
	struct key_value_list sorted = key_values_sorted(list, arena);
	size_t kept = 0;
	for (size_t i = 0; i < sorted.count; i++) {
		bool is_overridden = i + 1 < sorted.count &&
				     slice_eq(sorted.items[i].key, sorted.items[i + 1].key);
		if (!is_overridden)
			sorted.items[kept++] = sorted.items[i];
	}
	sorted.count = kept;
	return sorted;
}

void key_values_sort_in_place(struct key_value_list list)
{
	/* Names are usually interned in their order, so that rows come sorted. */
	for (size_t i = 1; i < list.count; i++) {
		if (slice_compare(list.items[i - 1].key, list.items[i].key) > 0) {
			qsort(list.items, list.count, sizeof(*list.items), compare_keys);
			return;
		}
	}
}

void key_values_add(struct key_value_list *list, struct key_value item, struct arena *arena)
{
	enum { FIRST_CAPACITY = 8 };
	size_t count = list->count;
	bool is_full = count == 0 || (count >= FIRST_CAPACITY && (count & (count - 1)) == 0);
	if (is_full) {
		struct key_value *items =
			ARENA_NEW(arena, struct key_value, count == 0 ? FIRST_CAPACITY : 2 * count);
		for (size_t i = 0; i < count; i++)
			items[i] = list->items[i];
		list->items = items;
	}
	list->items[list->count++] = item;
}

const struct key_value *key_values_find(struct key_value_list list, struct slice key)
{
	for (size_t i = list.count; i > 0; i--) {
		if (slice_eq(list.items[i - 1].key, key))
			return &list.items[i - 1];
	}
	return NULL;
}

struct key_value_list key_values_missing(struct key_value_list list, struct key_value_list there,
					 struct arena *arena)
{
	struct key_value_list missing = {0};
	for (size_t i = 0; i < list.count; i++) {
		if (key_values_find(there, list.items[i].key) == NULL)
			key_values_add(&missing, list.items[i], arena);
	}
	return missing;
}

static int compare_stably(const void *a, const void *b)
{
	const struct key_value *left = *(const struct key_value *const *)a;
	const struct key_value *right = *(const struct key_value *const *)b;
	int order = slice_compare(left->key, right->key);
	if (order != 0)
		return order;
	return left < right ? -1 : left > right;
}

static int compare_keys(const void *a, const void *b)
{
	return slice_compare(((const struct key_value *)a)->key,
			     ((const struct key_value *)b)->key);
}
