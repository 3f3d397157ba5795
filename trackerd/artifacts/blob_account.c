/* Owns the count of references by which a blob is told to go. */
#include "artifacts/blob_account.h"

#include <string.h>

enum { SLOTS_MIN = 64 };

void blob_account_init(struct blob_account *account, struct db *tracker, struct db *blobs,
		       struct arena *arena)
{
	memset(account, 0, sizeof(*account));
	account->tracker = tracker;
	account->blobs = blobs;
	account->arena = arena;
}

/* ---- the tables --------------------------------------------------------------------------------- */

static struct blob_account_slot *seek(const struct blob_account_table *table, int64_t key)
{
	size_t i = (size_t)((uint64_t)key * 0x9e3779b97f4a7c15u >> 20) & (table->capacity - 1);
	while (table->slots[i].key != 0 && table->slots[i].key != key)
		i = (i + 1) & (table->capacity - 1);
	return &table->slots[i];
}

static void grow(struct blob_account_table *table, struct arena *arena)
{
	struct blob_account_table bigger = {.count = table->count};
	bigger.capacity = table->capacity == 0 ? SLOTS_MIN : table->capacity * 2;
	bigger.slots = ARENA_NEW(arena, struct blob_account_slot, bigger.capacity);
	for (size_t i = 0; i < table->capacity; i++) {
		if (table->slots[i].key != 0)
			*seek(&bigger, table->slots[i].key) = table->slots[i];
	}
	*table = bigger;
}

/* The slot of `key`, whose key is 0 when it is new. Valid until the next call. */
static struct blob_account_slot *find(struct blob_account_table *table, int64_t key,
				      struct arena *arena)
{
	if (table->count * 2 >= table->capacity)
		grow(table, arena);
	return seek(table, key);
}

static void put(struct blob_account_table *table, struct blob_account_slot *slot, int64_t key,
		int64_t left)
{
	*slot = (struct blob_account_slot){key, left};
	table->count++;
}

/* ---- references --------------------------------------------------------------------------------- */

static bool read_number(struct db *db, struct sql sql, int64_t blob_pk, int64_t *out,
			struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

/* All that keeps the blob: files, uploads in parts, and blobs that consist of it. */
static bool count_references(struct blob_account *account, int64_t blob_pk, int64_t *out,
			     struct error *err)
{
	int64_t files, uploads, wholes;
	if (!read_number(account->tracker,
			 SQL("SELECT count(*) FROM artifact_files WHERE blob_pk = $1"), blob_pk,
			 &files, err) ||
	    !read_number(account->tracker,
			 SQL("SELECT count(*) FROM multipart_parts WHERE blob_pk = $1"), blob_pk,
			 &uploads, err) ||
	    !read_number(account->blobs, SQL("SELECT count(*) FROM blob_parts WHERE part_pk = $1"),
			 blob_pk, &wholes, err))
		return false;
	*out = files + uploads + wholes;
	return true;
}

/* Takes away `count` references; *is_free_out when these were the last. */
static bool take_references(struct blob_account *account, int64_t blob_pk, int64_t count,
			    bool *is_free_out, struct error *err)
{
	struct blob_account_slot *slot = find(&account->known_blobs, blob_pk, account->arena);
	int64_t left;
	if (slot->key == 0) {
		if (!count_references(account, blob_pk, &left, err))
			return false;
		put(&account->known_blobs, slot, blob_pk, left);
	}
	slot->left -= count;
	*is_free_out = slot->left <= 0;
	return true;
}

struct part {
	int64_t blob_pk;
	int64_t count; /* how often the whole consists of it */
};

static bool load_parts(struct blob_account *account, int64_t blob_pk, struct part **parts_out,
		       size_t *count_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(account->blobs,
			   SQL("SELECT part_pk, count(*) FROM blob_parts WHERE blob_pk = $1"
			       " GROUP BY part_pk"),
			   err);
	struct part *parts = NULL;
	size_t count = 0;
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	while ((row = db_step(st, err)) == DB_ROW) {
		parts = arena_list_room(account->arena, parts, count, sizeof(*parts));
		parts[count++] = (struct part){db_column_i64(st, 0), db_column_i64(st, 1)};
	}
	*parts_out = parts;
	*count_out = count;
	return row == DB_DONE;
}

static bool add_size(struct blob_account *account, int64_t blob_pk, int64_t *bytes,
		     struct error *err)
{
	int64_t size;
	if (!read_number(account->blobs, SQL("SELECT size FROM blobs WHERE blob_pk = $1"), blob_pk,
			 &size, err))
		return false;
	*bytes += size;
	return true;
}

/* The bytes of a blob that goes: its own, or those of its parts that nothing else needs. */
static bool add_freed(struct blob_account *account, int64_t blob_pk, int64_t *bytes,
		      struct error *err)
{
	struct part *parts;
	size_t part_count;
	bool is_free;
	if (!load_parts(account, blob_pk, &parts, &part_count, err))
		return false;
	if (part_count == 0)
		return add_size(account, blob_pk, bytes, err);
	for (size_t i = 0; i < part_count; i++) {
		if (!take_references(account, parts[i].blob_pk, parts[i].count, &is_free, err) ||
		    (is_free && !add_size(account, parts[i].blob_pk, bytes, err)))
			return false;
	}
	return true;
}

/* ---- trees -------------------------------------------------------------------------------------- */

/* What the files of one directory have of one blob. */
struct holding {
	int64_t dir_pk, blob_pk, file_count, file_bytes;
};

static bool load_holdings(struct blob_account *account, struct slice path, struct holding **out,
			  size_t *count_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		account->tracker,
		SQL("SELECT f.dir_pk, f.blob_pk, count(*), sum(f.size) FROM artifact_dirs AS d"
		    " JOIN artifact_files AS f ON f.dir_pk = d.dir_pk"
		    " WHERE d.path = $1 OR (d.path >= $2 AND d.path < $3)"
		    " GROUP BY f.dir_pk, f.blob_pk"),
		err);
	struct holding *holdings = NULL;
	size_t count = 0;
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, path);
	db_bind_text(st, 2, arena_concat(account->arena, path, SLICE("/")));
	db_bind_text(st, 3, arena_concat(account->arena, path, SLICE("0")));
	while ((row = db_step(st, err)) == DB_ROW) {
		holdings = arena_list_room(account->arena, holdings, count, sizeof(*holdings));
		holdings[count++] = (struct holding){db_column_i64(st, 0), db_column_i64(st, 1),
						     db_column_i64(st, 2), db_column_i64(st, 3)};
	}
	*out = holdings;
	*count_out = count;
	return row == DB_DONE;
}

static bool add_holding(struct blob_account *account, const struct holding *holding,
			struct blob_account_figures *figures, struct error *err)
{
	bool is_free;
	figures->file_count += holding->file_count;
	figures->file_bytes += holding->file_bytes;
	if (!take_references(account, holding->blob_pk, holding->file_count, &is_free, err))
		return false;
	if (is_free)
		return add_freed(account, holding->blob_pk, &figures->freed_bytes, err);
	figures->shared_bytes += holding->file_bytes;
	return true;
}

bool blob_account_add(struct blob_account *account, struct slice path,
		      struct blob_account_figures *out, struct error *err)
{
	struct blob_account_figures figures = {0};
	struct holding *holdings;
	size_t count;
	if (!load_holdings(account, path, &holdings, &count, err))
		return false;
	int64_t added_pk = 0; /* rows of a directory come together */
	for (size_t i = 0; i < count; i++) {
		struct blob_account_slot *slot =
			find(&account->known_directories, holdings[i].dir_pk, account->arena);
		if (slot->key != 0 && holdings[i].dir_pk != added_pk)
			continue;
		if (slot->key == 0)
			put(&account->known_directories, slot, holdings[i].dir_pk, 0);
		added_pk = holdings[i].dir_pk;
		if (!add_holding(account, &holdings[i], &figures, err))
			return false;
	}
	*out = figures;
	return true;
}
