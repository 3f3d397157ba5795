/* Owns the texts of names while rows are loaded: a hash table by number. */
#include "store/name_map.h"

static struct name_map_entry *find_place(struct name_map *map, struct name_pk pk);
static void grow(struct name_map *map);
static bool read_text(struct name_map *map, struct name_pk pk, struct slice *out,
		      struct error *err);

void name_map_init(struct name_map *map, struct db *db, struct arena *arena)
{
	enum { FIRST_CAPACITY = 64 };
	*map = (struct name_map){
		.db = db,
		.arena = arena,
		.entries = ARENA_NEW(arena, struct name_map_entry, FIRST_CAPACITY),
		.capacity = FIRST_CAPACITY,
	};
}

bool name_map_get(struct name_map *map, struct name_pk pk, struct slice *out, struct error *err)
{
	struct name_map_entry *entry = find_place(map, pk);
	if (!slice_is_present(entry->text)) {
		struct slice text;
		if (!read_text(map, pk, &text, err))
			return false;
		*entry = (struct name_map_entry){pk, text};
		map->count++;
		*out = text;
		if (2 * map->count > map->capacity)
			grow(map);
		return true;
	}
	*out = entry->text;
	return true;
}

/* Where `pk` is, or would go. Numbers are dense, so that they need no hashing. */
static struct name_map_entry *find_place(struct name_map *map, struct name_pk pk)
{
	size_t place = (size_t)pk.value & (map->capacity - 1);
	while (slice_is_present(map->entries[place].text) &&
	       map->entries[place].pk.value != pk.value)
		place = (place + 1) & (map->capacity - 1);
	return &map->entries[place];
}

static void grow(struct name_map *map)
{
	const struct name_map_entry *old = map->entries;
	size_t old_capacity = map->capacity;
	map->capacity *= 2;
	map->entries = ARENA_NEW(map->arena, struct name_map_entry, map->capacity);
	for (size_t i = 0; i < old_capacity; i++) {
		if (slice_is_present(old[i].text))
			*find_place(map, old[i].pk) = old[i];
	}
}

static bool read_text(struct name_map *map, struct name_pk pk, struct slice *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(map->db, SQL("SELECT name FROM names WHERE name_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_INTERNAL_ERROR, "A name vanished while it was read.");
	*out = db_column_copy(st, 0, map->arena);
	db_reset(st);
	return true;
}
