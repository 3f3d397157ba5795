/* Numbers for names: the n-th distinct name of a segment is number n, so that a point carries four
 * bytes for it.
 *
 * Open addressing, copies of the names in one block each. One thread at a time. */
#ifndef CLIENT_NAME_TABLE_H
#define CLIENT_NAME_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

struct name_entry {
	char *text_or_null; /* NULL: free */
	uint32_t len;
	uint32_t hash;
	uint32_t number;
};

struct name_table {
	struct name_entry *entries_or_null; /* capacity is 0 or a power of two, at most half used */
	uint32_t capacity;
	uint32_t count;
};

/* No heap is taken before the first name. */
void name_table_init(struct name_table *t);
void name_table_deinit(struct name_table *t);
/* Forgets the names. */
void name_table_clear(struct name_table *t);
/* False if the name has no number yet. */
bool name_table_find(const struct name_table *t, struct slice name, uint32_t *number_out);
/* Gives the next number (count before the call) to a name that has none. False when there is no
 * memory. */
MUST_CHECK bool name_table_add(struct name_table *t, struct slice name);

#endif
