/* Owns the rows of the artifact tree: artifact_dirs and artifact_files. */
#include "artifacts/artifact_tree.h"

#include <stdlib.h>

#include "artifacts/artifact_path.h"

enum { ROOT_PK = 1 };

static bool find_directory(struct db *tracker, struct slice path, int64_t *dir_pk_out,
			   struct error *err);
static bool find_file(struct db *tracker, int64_t dir_pk, struct slice name, bool *found_out,
		      struct artifact_file *out, struct error *err);

/* ---- reading ------------------------------------------------------------------------------------ */

bool artifact_tree_find(struct db *tracker, struct slice path, enum artifact_kind *kind_out,
			struct artifact_file *file_out, struct error *err)
{
	int64_t dir_pk, parent_pk;
	bool is_file = false;
	if (!find_directory(tracker, path, &dir_pk, err))
		return false;
	if (dir_pk == 0) {
		if (!find_directory(tracker, artifact_path_directory(path), &parent_pk, err))
			return false;
		if (parent_pk != 0 && !find_file(tracker, parent_pk, artifact_path_name(path),
						 &is_file, file_out, err))
			return false;
		if (is_file)
			file_out->path = path;
	}
	*kind_out = dir_pk != 0 ? ARTIFACT_DIRECTORY : is_file ? ARTIFACT_FILE : ARTIFACT_NONE;
	return true;
}

/* Grows by doubling; the old array stays in the arena until the job ends. */
static void *grow(struct arena *arena, void *items, size_t count, size_t *capacity,
		  size_t item_bytes)
{
	if (count < *capacity)
		return items;
	*capacity = *capacity == 0 ? 16 : *capacity * 2;
	void *bigger = arena_alloc(arena, *capacity, item_bytes);
	if (count > 0)
		memcpy(bigger, items, count * item_bytes);
	return bigger;
}

void blob_pk_list_add(struct blob_pk_list *list, int64_t blob_pk, struct arena *arena)
{
	if (list->count > 0 && list->items[list->count - 1] == blob_pk)
		return; /* files of one archive share their blob */
	list->items = grow(arena, list->items, list->count, &list->capacity, sizeof(*list->items));
	list->items[list->count++] = blob_pk;
}

static int compare_entries(const void *a, const void *b)
{
	const struct artifact_entry *left = a, *right = b;
	return slice_compare(left->name, right->name);
}

static bool list_rows(struct db_statement *st, bool is_directory, struct arena *arena,
		      struct artifact_entry_list *list, size_t *capacity, struct error *err)
{
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list->items = grow(arena, list->items, list->count, capacity, sizeof(*list->items));
		struct slice text = db_column_text(st, 0);
		list->items[list->count++] = (struct artifact_entry){
			.name = arena_copy(arena, is_directory ? artifact_path_name(text) : text),
			.is_directory = is_directory,
			.size = is_directory ? 0 : db_column_i64(st, 1),
		};
	}
	return row == DB_DONE;
}

bool artifact_tree_list(struct db *tracker, struct slice path, struct arena *arena,
			struct artifact_entry_list *out, struct error *err)
{
	struct artifact_entry_list list = {0};
	size_t capacity = 0;
	int64_t dir_pk;
	if (!find_directory(tracker, path, &dir_pk, err))
		return false;
	if (dir_pk != 0) {
		struct db_statement *st = db_prepare(
			tracker, SQL("SELECT path FROM artifact_dirs WHERE parent_pk = $1"), err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, dir_pk);
		if (!list_rows(st, true, arena, &list, &capacity, err))
			return false;
		st = db_prepare(tracker,
				SQL("SELECT name, size FROM artifact_files WHERE dir_pk = $1"),
				err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, dir_pk);
		if (!list_rows(st, false, arena, &list, &capacity, err))
			return false;
	}
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(*list.items), compare_entries);
	*out = list;
	return true;
}

static void read_digest(const struct db_statement *st, int column,
			unsigned char digest[SHA256_BYTES])
{
	struct slice blob = db_column_blob(st, column);
	memset(digest, 0, SHA256_BYTES);
	if (blob.len == SHA256_BYTES)
		memcpy(digest, blob.ptr, SHA256_BYTES);
}

/* Binds what "path = $1 OR (path >= $2 AND path < $3)" asks for, everything at or below path: $2 is path + '/', $3 is
 * path + the byte after '/'. */
static void bind_at_or_below(struct db_statement *st, struct slice path, struct arena *arena)
{
	db_bind_text(st, 1, path);
	db_bind_text(st, 2, arena_concat(arena, path, SLICE("/")));
	db_bind_text(st, 3, arena_concat(arena, path, SLICE("0")));
}

static bool load_below(struct db *tracker, struct slice path, struct arena *arena,
		       struct artifact_file_list *list, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT d.path, f.name, f.blob_pk, f.blob_offset, f.size, "
			       "f.modified_ms, f.sha256 "
			       "FROM artifact_dirs d JOIN artifact_files f ON f.dir_pk = d.dir_pk "
			       "WHERE d.path = $1 OR (d.path >= $2 AND d.path < $3)"),
			   err);
	struct slice relative;
	size_t capacity = 0;
	enum db_row row;
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	while ((row = db_step(st, err)) == DB_ROW) {
		list->items =
			grow(arena, list->items, list->count, &capacity, sizeof(*list->items));
		struct artifact_file *file = &list->items[list->count++];
		struct slice directory = slice_from(db_column_text(st, 0), path.len + 1);
		struct slice name = db_column_text(st, 1);
		if (!artifact_path_join(directory, name, arena, &relative, err)) {
			db_reset(st);
			return false;
		}
		file->path = relative.ptr == name.ptr ? arena_copy(arena, name) : relative;
		file->blob_pk = db_column_i64(st, 2);
		file->blob_offset = db_column_i64(st, 3);
		file->size = db_column_i64(st, 4);
		file->modified_ms = db_column_i64(st, 5);
		read_digest(st, 6, file->sha256);
	}
	return row == DB_DONE;
}

bool artifact_tree_load(struct db *tracker, struct slice path, struct arena *arena,
			struct artifact_file_list *out, struct error *err)
{
	struct artifact_file_list list = {0};
	struct artifact_file file;
	enum artifact_kind kind;
	ASSERT(path.len > 0);
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	if (kind == ARTIFACT_FILE) {
		list.items = ARENA_NEW(arena, struct artifact_file, 1);
		list.items[0] = file;
		list.items[0].path = artifact_path_name(path);
		list.count = 1;
	} else if (kind == ARTIFACT_DIRECTORY && !load_below(tracker, path, arena, &list, err)) {
		return false;
	}
	artifact_tree_sort(&list);
	*out = list;
	return true;
}

static bool sum_below(struct db *tracker, struct slice path, struct arena *arena,
		      struct artifact_sums *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT count(*), coalesce(sum(f.size), 0) "
			       "FROM artifact_dirs d JOIN artifact_files f ON f.dir_pk = d.dir_pk "
			       "WHERE d.path = $1 OR (d.path >= $2 AND d.path < $3)"),
			   err);
	bool found;
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*out = (struct artifact_sums){db_column_i64(st, 0), db_column_i64(st, 1)};
	db_reset(st);
	return true;
}

bool artifact_tree_sum(struct db *tracker, struct slice path, struct arena *arena,
		       struct artifact_sums *out, struct error *err)
{
	struct artifact_file file;
	enum artifact_kind kind;
	ASSERT(path.len > 0);
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	*out = (struct artifact_sums){0};
	if (kind == ARTIFACT_FILE)
		*out = (struct artifact_sums){1, file.size};
	return kind != ARTIFACT_DIRECTORY || sum_below(tracker, path, arena, out, err);
}

static int compare_files(const void *a, const void *b)
{
	const struct artifact_file *left = a, *right = b;
	return slice_compare(left->path, right->path);
}

void artifact_tree_sort(struct artifact_file_list *files)
{
	if (files->count > 1)
		qsort(files->items, files->count, sizeof(*files->items), compare_files);
}

bool artifact_tree_digest(const struct artifact_file_list *files,
			  unsigned char digest[SHA256_BYTES], int64_t *byte_count_out,
			  struct error *err)
{
	struct digest hash;
	char hex[SHA256_HEX_LEN + 1];
	int64_t byte_count = 0;
	if (!digest_init(&hash, err))
		return false;
	for (size_t i = 0; i < files->count; i++) {
		digest_hex(files->items[i].sha256, hex);
		digest_update(&hash, slice_make(hex, SHA256_HEX_LEN));
		digest_update(&hash, SLICE("  "));
		digest_update(&hash, files->items[i].path);
		digest_update(&hash, SLICE("\n"));
		byte_count += files->items[i].size;
	}
	digest_value(&hash, digest);
	digest_deinit(&hash);
	*byte_count_out = byte_count;
	return true;
}

bool artifact_tree_refers_to(struct db *tracker, int64_t blob_pk, bool *refers_out,
			     struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker, SQL("SELECT 1 FROM artifact_files WHERE blob_pk = $1 LIMIT 1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	if (!db_fetch_one(st, refers_out, err))
		return false;
	db_reset(st);
	return true;
}

/* *dir_pk_out is 0 when there is no such directory. */
static bool find_directory(struct db *tracker, struct slice path, int64_t *dir_pk_out,
			   struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker, SQL("SELECT dir_pk FROM artifact_dirs WHERE path = $1"), err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, path.ptr == NULL ? SLICE("") : path);
	if (!db_fetch_one(st, &found, err))
		return false;
	*dir_pk_out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

/* Leaves out->path alone. */
static bool find_file(struct db *tracker, int64_t dir_pk, struct slice name, bool *found_out,
		      struct artifact_file *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("SELECT blob_pk, blob_offset, size, modified_ms, sha256 FROM artifact_files "
		    "WHERE dir_pk = $1 AND name = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, dir_pk);
	db_bind_text(st, 2, name);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out) {
		out->blob_pk = db_column_i64(st, 0);
		out->blob_offset = db_column_i64(st, 1);
		out->size = db_column_i64(st, 2);
		out->modified_ms = db_column_i64(st, 3);
		read_digest(st, 4, out->sha256);
	}
	db_reset(st);
	return true;
}

/* ---- storing ------------------------------------------------------------------------------------ */

static bool insert_directory(struct db *tracker, int64_t parent_pk, struct slice path,
			     int64_t *dir_pk_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("INSERT INTO artifact_dirs (parent_pk, path) VALUES ($1, $2) RETURNING dir_pk"),
		err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, parent_pk);
	db_bind_text(st, 2, path);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*dir_pk_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool check_is_no_file(struct db *tracker, int64_t parent_pk, struct slice path,
			     struct error *err)
{
	struct artifact_file file;
	char quoted[256];
	bool is_file;
	if (!find_file(tracker, parent_pk, artifact_path_name(path), &is_file, &file, err))
		return false;
	if (is_file)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "'%s' is a file, so nothing can be stored below it.",
				 error_quote(path, quoted, sizeof(quoted)));
	return true;
}

/* Finds the directory, making it and its ancestors where they are missing. */
static bool make_directory(struct db *tracker, struct slice path, int64_t *dir_pk_out,
			   struct error *err)
{
	struct slice existing = path;
	int64_t dir_pk;
	for (;;) { /* up to the nearest ancestor that is there; the root always is */
		if (!find_directory(tracker, existing, &dir_pk, err))
			return false;
		if (dir_pk != 0)
			break;
		if (existing.len == 0)
			return error_set(err, ERR_DATA_LOSS,
					 "The root of the artifacts is missing.");
		existing = artifact_path_directory(existing);
	}
	while (existing.len < path.len) { /* and down again */
		size_t begin = existing.len == 0 ? 0 : existing.len + 1;
		existing = slice_first(path, slice_find_byte(path, '/', begin));
		if (!check_is_no_file(tracker, dir_pk, existing, err) ||
		    !insert_directory(tracker, dir_pk, existing, &dir_pk, err))
			return false;
	}
	*dir_pk_out = dir_pk;
	return true;
}

static bool check_is_no_directory(struct db *tracker, struct slice path, struct error *err)
{
	char quoted[256];
	int64_t dir_pk;
	if (!find_directory(tracker, path, &dir_pk, err))
		return false;
	if (dir_pk != 0)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "'%s' is a directory, so no file can be stored there.",
				 error_quote(path, quoted, sizeof(quoted)));
	return true;
}

static bool upsert_file(struct db *tracker, int64_t dir_pk, struct slice name,
			const struct artifact_file *file, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("INSERT INTO artifact_files (dir_pk, name, blob_pk, blob_offset, size, sha256, "
		    "modified_ms) "
		    "VALUES ($1, $2, $3, $4, $5, $6, $7) "
		    "ON CONFLICT (dir_pk, name) DO UPDATE SET blob_pk = excluded.blob_pk, "
		    "blob_offset = excluded.blob_offset, size = excluded.size, sha256 = "
		    "excluded.sha256, "
		    "modified_ms = excluded.modified_ms"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, dir_pk);
	db_bind_text(st, 2, name);
	db_bind_i64(st, 3, file->blob_pk);
	db_bind_i64(st, 4, file->blob_offset);
	db_bind_i64(st, 5, file->size);
	db_bind_blob(st, 6, slice_make((const char *)file->sha256, SHA256_BYTES));
	db_bind_i64(st, 7, file->modified_ms);
	return db_run(st, err);
}

static bool put_file(struct db *tracker, int64_t dir_pk, struct slice path,
		     const struct artifact_file *file, struct arena *arena,
		     struct blob_pk_list *released, struct error *err)
{
	struct slice name = artifact_path_name(path);
	struct artifact_file old;
	bool is_there;
	if (!find_file(tracker, dir_pk, name, &is_there, &old, err))
		return false;
	if (is_there && old.blob_pk != file->blob_pk)
		blob_pk_list_add(released, old.blob_pk, arena);
	if (!is_there && !check_is_no_directory(tracker, path, err))
		return false;
	return upsert_file(tracker, dir_pk, name, file, err);
}

bool artifact_tree_put_in_txn(struct db *tracker, struct slice base,
			      const struct artifact_file_list *files, struct arena *arena,
			      struct blob_pk_list *released, struct error *err)
{
	struct slice path, last_directory = {0};
	int64_t dir_pk = 0;
	for (size_t i = 0; i < files->count; i++) {
		const struct artifact_file *file = &files->items[i];
		if (!artifact_path_join(base, file->path, arena, &path, err))
			return false;
		struct slice directory = artifact_path_directory(path);
		if (dir_pk == 0 || !slice_eq(directory, last_directory)) {
			if (!make_directory(tracker, directory, &dir_pk, err))
				return false;
			last_directory = directory;
		}
		if (!put_file(tracker, dir_pk, path, file, arena, released, err))
			return false;
	}
	return true;
}

/* ---- removing ----------------------------------------------------------------------------------- */

static bool release_below(struct db *tracker, struct slice path, struct arena *arena,
			  struct blob_pk_list *released, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT DISTINCT f.blob_pk FROM artifact_dirs d JOIN artifact_files "
			       "f ON f.dir_pk = d.dir_pk "
			       "WHERE d.path = $1 OR (d.path >= $2 AND d.path < $3)"),
			   err);
	enum db_row row;
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	while ((row = db_step(st, err)) == DB_ROW)
		blob_pk_list_add(released, db_column_i64(st, 0), arena);
	return row == DB_DONE;
}

static bool run_at_or_below(struct db *tracker, struct sql sql, struct slice path,
			    struct arena *arena, struct error *err)
{
	struct db_statement *st = db_prepare(tracker, sql, err);
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	return db_run(st, err);
}

static bool remove_below(struct db *tracker, struct slice path, struct arena *arena,
			 struct blob_pk_list *released, struct error *err)
{
	return release_below(tracker, path, arena, released, err) &&
	       run_at_or_below(tracker,
			       SQL("DELETE FROM artifact_files WHERE dir_pk IN (SELECT dir_pk FROM "
				   "artifact_dirs "
				   "WHERE path = $1 OR (path >= $2 AND path < $3))"),
			       path, arena, err) &&
	       run_at_or_below(
		       tracker,
		       SQL("DELETE FROM artifact_dirs WHERE path = $1 OR (path >= $2 AND path "
			   "< $3)"),
		       path, arena, err);
}

static bool remove_file(struct db *tracker, struct slice path, struct error *err)
{
	struct db_statement *st = db_prepare(tracker,
					     SQL("DELETE FROM artifact_files "
						 "WHERE dir_pk = (SELECT dir_pk FROM artifact_dirs "
						 "WHERE path = $1) AND name = $2"),
					     err);
	if (st == NULL)
		return false;
	struct slice directory = artifact_path_directory(path);
	db_bind_text(st, 1, directory.len == 0 ? SLICE("") : directory);
	db_bind_text(st, 2, artifact_path_name(path));
	return db_run(st, err);
}

/* Removes the directory if it is empty, then its parent likewise, up to the root. */
static bool prune(struct db *tracker, struct slice path, struct error *err)
{
	for (; path.len > 0; path = artifact_path_directory(path)) {
		struct db_statement *st =
			db_prepare(tracker,
				   SQL("DELETE FROM artifact_dirs WHERE path = $1 "
				       "AND NOT EXISTS (SELECT 1 FROM artifact_files f WHERE "
				       "f.dir_pk = artifact_dirs.dir_pk) "
				       "AND NOT EXISTS (SELECT 1 FROM artifact_dirs c WHERE "
				       "c.parent_pk = artifact_dirs.dir_pk)"),
				   err);
		if (st == NULL)
			return false;
		db_bind_text(st, 1, path);
		if (!db_run(st, err))
			return false;
		if (db_changes(tracker) == 0)
			break;
	}
	return true;
}

bool artifact_tree_remove_in_txn(struct db *tracker, struct slice path, struct arena *arena,
				 struct blob_pk_list *released, struct error *err)
{
	struct artifact_file file;
	enum artifact_kind kind;
	ASSERT(path.len > 0);
	if (!artifact_tree_find(tracker, path, &kind, &file, err))
		return false;
	if (kind == ARTIFACT_NONE)
		return true;
	if (kind == ARTIFACT_FILE) {
		blob_pk_list_add(released, file.blob_pk, arena);
		if (!remove_file(tracker, path, err))
			return false;
	} else if (!remove_below(tracker, path, arena, released, err)) {
		return false;
	}
	return prune(tracker, artifact_path_directory(path), err);
}

/* The next piece of the files at or below a directory. */
static bool remove_some_files(struct db *tracker, struct slice path, int64_t files_max,
			      struct arena *arena, struct blob_pk_list *released,
			      int64_t *count_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("DELETE FROM artifact_files WHERE (dir_pk, name) IN "
			       "(SELECT f.dir_pk, f.name FROM artifact_dirs d "
			       "JOIN artifact_files f ON f.dir_pk = d.dir_pk "
			       "WHERE d.path = $1 OR (d.path >= $2 AND d.path < $3) LIMIT $4) "
			       "RETURNING blob_pk"),
			   err);
	enum db_row row;
	int64_t count = 0;
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	db_bind_i64(st, 4, files_max);
	while ((row = db_step(st, err)) == DB_ROW) {
		blob_pk_list_add(released, db_column_i64(st, 0), arena);
		count++;
	}
	*count_out = count;
	return row == DB_DONE;
}

/* The deepest ones first, which are behind what they lie in. */
static bool remove_some_directories(struct db *tracker, struct slice path, int64_t count_max,
				    struct arena *arena, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("DELETE FROM artifact_dirs WHERE dir_pk IN (SELECT dir_pk FROM artifact_dirs "
		    "WHERE path = $1 OR (path >= $2 AND path < $3) ORDER BY path DESC LIMIT $4)"),
		err);
	if (st == NULL)
		return false;
	bind_at_or_below(st, path, arena);
	db_bind_i64(st, 4, count_max);
	return db_run(st, err);
}

bool artifact_tree_remove_piece_in_txn(struct db *tracker, struct slice path, int64_t files_max,
				       struct arena *arena, struct blob_pk_list *released,
				       bool *is_gone_out, struct error *err)
{
	int64_t file_count;
	ASSERT(path.len > 0);
	*is_gone_out = false;
	if (!remove_some_files(tracker, path, files_max, arena, released, &file_count, err))
		return false;
	if (file_count > 0)
		return true;
	if (!remove_some_directories(tracker, path, files_max, arena, err))
		return false;
	*is_gone_out = db_changes(tracker) < files_max;
	return !*is_gone_out || prune(tracker, artifact_path_directory(path), err);
}
