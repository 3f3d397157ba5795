/* A set of row numbers that one statement loads, and where each row belongs in the caller's array.
 *
 *     pk_list_init(&list, pks, count, arena);          sorts, since rows come ORDER BY pk
 *     pk_list_append(&list, &builder);                 … WHERE run_pk IN (1, 2, 3)
 *     slot = pk_list_seek(&list, pk_of_row)           for each row, in order
 *
 * Pure; one thread. Memory is the arena's. */
#ifndef STORE_PK_LIST_H
#define STORE_PK_LIST_H

#include "base/arena.h"
#include "db/sql_builder.h"

/* Loaders cut longer lists into pieces: statements stay far from any database's limits. */
enum { PK_LIST_COUNT_MAX = 500 };

struct pk_slot {
	int64_t pk;
	size_t index; /* in the caller's array */
};

struct pk_list {
	struct pk_slot *slots; /* sorted by pk */
	size_t count;
	size_t cursor;
};

/* Each of `pks` once; 1 to PK_LIST_COUNT_MAX of them. `first_index` is the index of pks[0] in the
 * caller's array. */
void pk_list_init(struct pk_list *list, const int64_t *pks, size_t count, size_t first_index,
		  struct arena *arena);
/* Appends "(1, 2, 3)". */
void pk_list_append(const struct pk_list *list, struct sql_builder *b);
/* Goes back to the first slot, for the rows of another statement. */
void pk_list_rewind(struct pk_list *list);
/* The slot of `pk`, which must be in the list and not before the one sought last. */
const struct pk_slot *pk_list_seek(struct pk_list *list, int64_t pk);

#endif
