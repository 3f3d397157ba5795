/* Owns the test's pair of databases and the straight-line versions of upload and download. */
#include "store_helper.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "artifacts/tar_index.h"
#include "limits.h"

static void apply_script(struct db *db, const char *path)
{
	struct buffer script;
	struct error err;
	size_t len;
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	buffer_init(&script, 1 << 20);
	do {
		len = fread(buffer_reserve(&script, 4096), 1, 4096, f);
		buffer_commit(&script, len);
	} while (len > 0);
	(void)fclose(f);
	if (!db_exec_script(db, buffer_slice(&script), &err))
		fail_msg("%s: %s", path, err.message);
	buffer_deinit(&script);
}

/* All scripts of the folder, in their order. */
static void apply_schema(struct db *db, const char *folder)
{
	char pattern[256];
	glob_t scripts;
	(void)snprintf(pattern, sizeof(pattern), "%s/../schema/sqlite/%s/*.sql", TESTS_DIR, folder);
	assert_int_equal(glob(pattern, 0, NULL, &scripts), 0);
	for (size_t i = 0; i < scripts.gl_pathc; i++)
		apply_script(db, scripts.gl_pathv[i]);
	globfree(&scripts);
}

static struct db *open_one(const struct store *store, const char *name, int page_bytes, const char *schema)
{
	const struct db_options options = {.mode = DB_READ_WRITE, .page_bytes = page_bytes};
	char path[128];
	struct error err;
	struct db *db;
	(void)snprintf(path, sizeof(path), "%s/%s", store->directory, name);
	if (!db_open(path, &options, &db, &err))
		fail_msg("%s", err.message);
	apply_schema(db, schema);
	/* No power fails here; waiting for the disk would only make the tests slow. */
	if (!db_exec_script(db, SLICE("PRAGMA synchronous = OFF;"), &err))
		fail_msg("%s", err.message);
	return db;
}

void store_open(struct store *store)
{
	memset(store, 0, sizeof(*store));
	(void)strcpy(store->directory, "/tmp/trackerd-artifacts-XXXXXX");
	assert_non_null(mkdtemp(store->directory));
	store->tracker = open_one(store, "tracker.db", 0, "tracker");
	store->blobs = open_one(store, "artifacts.db", 65536, "artifacts");
	arena_init(&store->arena, (size_t)1 << 30);
	blob_pins_init(&store->pins);
}

void store_close(struct store *store)
{
	static const char *const names[] = {"tracker.db", "artifacts.db"};
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	char path[128];
	db_close(store->tracker);
	db_close(store->blobs);
	arena_deinit(&store->arena);
	blob_pins_deinit(&store->pins);
	for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
		for (size_t k = 0; k < ARRAY_COUNT(suffixes); k++) {
			(void)snprintf(path, sizeof(path), "%s/%s%s", store->directory, names[i], suffixes[k]);
			(void)unlink(path); /* not every one exists */
		}
	}
	assert_int_equal(rmdir(store->directory), 0);
}

void store_begin(struct db *db)
{
	struct error err;
	if (!db_exec(db, SQL("BEGIN IMMEDIATE"), &err))
		fail_msg("%s", err.message);
}

void store_commit(struct db *db)
{
	struct error err;
	if (!db_exec(db, SQL("COMMIT"), &err))
		fail_msg("%s", err.message);
}

void store_rollback(struct db *db)
{
	struct error err;
	db_reset_all(db);
	if (db_in_transaction(db) && !db_exec(db, SQL("ROLLBACK"), &err))
		fail_msg("%s", err.message);
}

int64_t store_number(struct db *db, struct sql sql)
{
	struct error err;
	bool found;
	struct db_statement *st = db_prepare(db, sql, &err);
	assert_non_null(st);
	assert_true(db_fetch_one(st, &found, &err));
	assert_true(found);
	int64_t number = db_column_i64(st, 0);
	db_reset(st);
	return number;
}

/* All whole chunks; the rest is left for finish. */
static void append_chunks(struct store *store, struct blob_stage *stage, struct slice *bytes, int64_t *seq)
{
	struct error err;
	while (bytes->len >= BLOB_CHUNK_BYTES) {
		store_begin(store->blobs);
		if (!blob_stage_append_in_txn(stage, store->blobs, *seq, slice_first(*bytes, BLOB_CHUNK_BYTES),
					      &err))
			fail_msg("%s", err.message);
		store_commit(store->blobs);
		*bytes = slice_from(*bytes, BLOB_CHUNK_BYTES);
		++*seq;
	}
}

static void finish(struct store *store, struct blob_stage *stage, int64_t seq, struct slice rest)
{
	struct error err;
	store_begin(store->blobs);
	if (!blob_stage_finish_in_txn(stage, store->blobs, seq, rest, NULL, &err))
		fail_msg("%s", err.message);
	store_commit(store->blobs);
}

int64_t store_blob(struct store *store, struct slice bytes)
{
	struct blob_stage stage;
	struct error err;
	int64_t seq = 0;
	assert_true(blob_stage_init(&stage, &store->pins, &err));
	append_chunks(store, &stage, &bytes, &seq);
	finish(store, &stage, seq, bytes);
	int64_t blob_pk = stage.blob_pk;
	blob_stage_deinit(&stage);
	return blob_pk;
}

static bool put_list(struct store *store, const char *path, const struct artifact_file_list *list,
		     struct error *err)
{
	store_begin(store->tracker);
	bool ok = artifact_tree_put_in_txn(store->tracker, slice_from_cstr(path), list, &store->arena,
					   &store->released, err);
	if (ok)
		store_commit(store->tracker);
	else
		store_rollback(store->tracker);
	return ok;
}

bool store_put(struct store *store, const char *path, struct slice bytes, struct error *err)
{
	struct artifact_file file = {.path = slice_from_cstr(path), .size = (int64_t)bytes.len};
	struct artifact_file_list list = {&file, 1};
	struct digest hash;
	assert_true(digest_init(&hash, err));
	digest_update(&hash, bytes);
	digest_value(&hash, file.sha256);
	digest_deinit(&hash);
	file.blob_pk = store_blob(store, bytes);
	return put_list(store, "", &list, err);
}

bool store_remove(struct store *store, const char *path, struct error *err)
{
	store_begin(store->tracker);
	bool ok = artifact_tree_remove_in_txn(store->tracker, slice_from_cstr(path), &store->arena,
					      &store->released, err);
	if (ok)
		store_commit(store->tracker);
	else
		store_rollback(store->tracker);
	return ok;
}

/* Reads the archive in blob `source_pk`; what is packed goes through `pack`. */
static bool index_archive(struct store *store, struct tar_index *index, struct blob_stage *pack, unsigned *steps,
			  struct error *err)
{
	struct buffer bytes;
	int64_t seq = 0;
	bool is_end = false, ok = true;
	buffer_init(&bytes, TAR_INDEX_PACK_BYTES + 4 * BLOB_CHUNK_BYTES);
	while (ok && !is_end) {
		ok = tar_index_step(index, store->blobs, &bytes, &is_end, err);
		struct slice rest = buffer_slice(&bytes);
		append_chunks(store, pack, &rest, &seq);
		buffer_consume(&bytes, bytes.len - rest.len);
		++*steps;
	}
	if (ok && tar_index_is_compressed(index))
		finish(store, pack, seq, buffer_slice(&bytes));
	buffer_deinit(&bytes);
	return ok;
}

bool store_put_archive(struct store *store, const char *path, struct slice archive, unsigned *steps_out_or_null,
		       struct error *err)
{
	int64_t source_pk = store_blob(store, archive);
	struct blob_stage pack;
	struct tar_index *index;
	unsigned steps = 0;
	if (!tar_index_new(source_pk, (int64_t)archive.len, &store->arena, NULL, &index, err))
		return false;
	assert_true(blob_stage_init(&pack, &store->pins, err));
	bool ok = index_archive(store, index, &pack, &steps, err);
	if (ok) {
		struct artifact_file_list files = tar_index_files(index);
		for (size_t i = 0; i < files.count; i++)
			files.items[i].blob_pk = tar_index_is_compressed(index) ? pack.blob_pk : source_pk;
		ok = put_list(store, path, &files, err);
	}
	blob_stage_deinit(&pack);
	tar_index_free(index);
	if (steps_out_or_null != NULL)
		*steps_out_or_null = steps;
	return ok;
}

static void drain(struct store *store, struct download *download, struct buffer *out)
{
	struct error err;
	bool is_end = false;
	struct buffer piece;
	buffer_init(&piece, DOWNLOAD_PIECE_BYTES_MAX);
	while (!is_end) {
		buffer_reset(&piece);
		if (!download_step(download, store->blobs, &piece, &is_end, &err))
			fail_msg("%s", err.message);
		buffer_append(out, buffer_slice(&piece));
	}
	buffer_deinit(&piece);
	download_free(download);
}

struct artifact_file_list store_load(struct store *store, const char *path)
{
	struct artifact_file_list files;
	struct error err;
	if (!artifact_tree_load(store->tracker, slice_from_cstr(path), &store->arena, &files, &err))
		fail_msg("%s", err.message);
	return files;
}

void store_get_archive(struct store *store, const char *path, enum tar_output_format format, struct buffer *out)
{
	struct artifact_file_list files = store_load(store, path);
	struct download *download;
	struct error err;
	assert_true(download_archive_new(format, &files, &download, &err));
	drain(store, download, out);
}

void store_get(struct store *store, const char *path, struct buffer *out)
{
	struct artifact_file file;
	enum artifact_kind kind;
	struct download *download;
	struct error err;
	assert_true(artifact_tree_find(store->tracker, slice_from_cstr(path), &kind, &file, &err));
	assert_int_equal(kind, ARTIFACT_FILE);
	assert_true(download_file_new(&file, 0, file.size, &download, &err));
	drain(store, download, out);
}
