/* Lists of tags or parameters. Pure; any thread. */
#ifndef STORE_KEY_VALUES_H
#define STORE_KEY_VALUES_H

#include "base/arena.h"
#include "store/entities.h"

/* The list sorted by key, in the arena; items of equal keys stay in their order. Texts are
 * borrowed. */
struct key_value_list key_values_sorted(struct key_value_list list, struct arena *arena);
/* Likewise with the last item of equal keys only: what upserting each in turn would leave. */
struct key_value_list key_values_sorted_unique(struct key_value_list list, struct arena *arena);
/* Sorts a list of distinct keys where it stands. */
void key_values_sort_in_place(struct key_value_list list);
/* Appends to a list that grows in the arena by this function only. */
void key_values_add(struct key_value_list *list, struct key_value item, struct arena *arena);
/* The item of that key in an unsorted list, the last of several; NULL if there is none. */
const struct key_value *key_values_find(struct key_value_list list, struct slice key);
/* The items whose keys are not in `there`, in the arena. */
struct key_value_list key_values_missing(struct key_value_list list, struct key_value_list there,
					 struct arena *arena);

#endif
