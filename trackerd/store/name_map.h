/* Texts of interned names, each read once: for loaders that meet few names in many rows.
 *
 * Reading a name from the map costs a tenth of what a join costs for each row. One thread; memory
 * is the arena's. */
#ifndef STORE_NAME_MAP_H
#define STORE_NAME_MAP_H

#include "base/arena.h"
#include "base/error.h"
#include "db/db.h"
#include "store/entities.h"

struct name_map_entry {
	struct name_pk pk;
	struct slice text; /* absent: the place is free */
};

struct name_map {
	struct db *db;	     /* kept */
	struct arena *arena; /* kept */
	struct name_map_entry *entries;
	size_t count, capacity; /* a power of two */
};

void name_map_init(struct name_map *map, struct db *db, struct arena *arena);
/* The text lives in the arena. The name must exist. */
MUST_CHECK bool name_map_get(struct name_map *map, struct name_pk pk, struct slice *out,
			     struct error *err);

#endif
