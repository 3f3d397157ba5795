/* Owns the numbers of metric names within one segment of the spool. */
#include "src/name_table.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64, CAPACITY_MAX = 1 << 26 };

static uint32_t hash_of(struct slice name);
static struct name_entry *entry_for(const struct name_table *t, struct slice name, uint32_t hash);
static bool grow(struct name_table *t);

void name_table_init(struct name_table *t)
{
	memset(t, 0, sizeof *t);
}

void name_table_deinit(struct name_table *t)
{
	name_table_clear(t);
	free(t->entries_or_null);
	memset(t, 0, sizeof *t);
}

void name_table_clear(struct name_table *t)
{
	for (uint32_t i = 0; i < t->capacity; i++) {
		free(t->entries_or_null[i].text_or_null);
		t->entries_or_null[i].text_or_null = NULL;
	}
	t->count = 0;
}

bool name_table_find(const struct name_table *t, struct slice name, uint32_t *number_out)
{
	if (t->capacity == 0)
		return false;
	const struct name_entry *entry = entry_for(t, name, hash_of(name));
	if (entry->text_or_null == NULL)
		return false;
	*number_out = entry->number;
	return true;
}

bool name_table_add(struct name_table *t, struct slice name)
{
	if (t->count >= t->capacity / 2 && !grow(t))
		return false;
	uint32_t hash = hash_of(name);
	struct name_entry *entry = entry_for(t, name, hash);
	ASSERT(entry->text_or_null == NULL && name.len <= UINT32_MAX);
	char *text = malloc(name.len + 1);
	if (text == NULL)
		return false;
	memcpy(text, name.ptr, name.len);
	*entry = (struct name_entry){text, (uint32_t)name.len, hash, t->count++};
	return true;
}

/* FNV-1a: names are short. */
static uint32_t hash_of(struct slice name)
{
	uint32_t hash = 2166136261u;
	for (size_t i = 0; i < name.len; i++)
		hash = (hash ^ (unsigned char)name.ptr[i]) * 16777619u;
	return hash;
}

/* Where the name is, or the free place where it belongs. */
static struct name_entry *entry_for(const struct name_table *t, struct slice name, uint32_t hash)
{
	for (uint32_t i = hash;; i++) {
		struct name_entry *entry = &t->entries_or_null[i & (t->capacity - 1)];
		if (entry->text_or_null == NULL)
			return entry;
		if (entry->hash == hash && entry->len == name.len &&
		    memcmp(entry->text_or_null, name.ptr, name.len) == 0)
			return entry;
	}
}

static bool grow(struct name_table *t)
{
	if (t->capacity >= CAPACITY_MAX)
		return false;
	uint32_t capacity = t->capacity == 0 ? CAPACITY_FIRST : t->capacity * 2;
	struct name_table bigger = {calloc(capacity, sizeof(struct name_entry)), capacity,
				    t->count};
	if (bigger.entries_or_null == NULL)
		return false;
	for (uint32_t i = 0; i < t->capacity; i++) {
		const struct name_entry *old = &t->entries_or_null[i];
		if (old->text_or_null == NULL)
			continue;
		*entry_for(&bigger, slice_make(old->text_or_null, old->len), old->hash) = *old;
	}
	free(t->entries_or_null);
	*t = bigger;
	return true;
}
