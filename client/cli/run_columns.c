/* Owns the comparison of runs by key. */
#include "cli/run_columns.h"

enum { SLOTS_MIN = 64 };

struct run_set run_set_of_entries(struct cli *cli, const struct json_value *list,
				  const char *member_or_null)
{
	struct run_set set = {0};
	if (list == NULL)
		return set;
	set.items = ARENA_NEW(cli->arena, const struct json_value *, list->child_count + 1);
	for (const struct json_value *item = json_items(list); item != NULL;
	     item = item->next_sibling_or_null)
		set.items[set.count++] =
			member_or_null != NULL ? json_tree_get(item, member_or_null) : item;
	return set;
}

/* Keys by hash: what is known of each while the runs are gone through. */
struct key_entry {
	struct slice key;
	struct slice first_value;
	size_t runs; /* how many have it */
	bool differs;
};

struct key_table {
	struct key_entry *entries; /* in the order of arrival */
	size_t count;
	size_t *slots; /* index of an entry + 1, or 0 */
	size_t slots_count;
};

static size_t hash(struct slice key)
{
	uint64_t h = 14695981039346656037u;
	for (size_t i = 0; i < key.len; i++)
		h = (h ^ (unsigned char)key.ptr[i]) * 1099511628211u;
	return (size_t)h;
}

static struct key_entry *find_or_add(struct key_table *t, struct slice key)
{
	size_t at = hash(key) & (t->slots_count - 1);
	for (; t->slots[at] != 0; at = (at + 1) & (t->slots_count - 1)) {
		struct key_entry *entry = &t->entries[t->slots[at] - 1];
		if (slice_eq(entry->key, key))
			return entry;
	}
	t->entries[t->count].key = key;
	t->slots[at] = ++t->count;
	return &t->entries[t->count - 1];
}

static struct key_table collect(struct cli *cli, const struct run_set *set, enum run_part part)
{
	struct key_table t = {.slots_count = SLOTS_MIN};
	size_t items = 0;
	for (size_t i = 0; i < set->count; i++) {
		const struct json_value *list = run_list(set->items[i], part);
		items += list == NULL ? 0 : list->child_count;
	}
	while (t.slots_count < items * 2)
		t.slots_count *= 2;
	t.slots = ARENA_NEW(cli->arena, size_t, t.slots_count);
	t.entries = ARENA_NEW(cli->arena, struct key_entry, items + 1);
	for (size_t i = 0; i < set->count; i++) {
		const struct json_value *item = json_items(run_list(set->items[i], part));
		for (; item != NULL; item = item->next_sibling_or_null) {
			struct key_entry *entry = find_or_add(&t, json_text(item, "key"));
			const struct json_value *member = json_tree_get(item, "value");
			struct slice value =
				member == NULL ? SLICE("") : member->text; /* numbers, too */
			if (entry->runs++ == 0)
				entry->first_value = value;
			else if (!slice_eq(entry->first_value, value))
				entry->differs = true;
		}
	}
	return t;
}

static size_t take_keys(struct cli *cli, const struct run_set *set, enum run_part part,
			bool only_differing, struct slice **keys_out)
{
	struct key_table t = collect(cli, set, part);
	struct slice *keys = ARENA_NEW(cli->arena, struct slice, t.count + 1);
	size_t count = 0;
	for (size_t i = 0; i < t.count; i++) {
		if (!only_differing || t.entries[i].differs || t.entries[i].runs < set->count)
			keys[count++] = t.entries[i].key;
	}
	*keys_out = keys;
	return count;
}

size_t run_set_keys(struct cli *cli, const struct run_set *set, enum run_part part,
		    struct slice **keys_out)
{
	return take_keys(cli, set, part, false, keys_out);
}

size_t run_set_differing(struct cli *cli, const struct run_set *set, enum run_part part,
			 struct slice **keys_out)
{
	return take_keys(cli, set, part, true, keys_out);
}
