/* Tests the blob store: chunks, names, sharing, damage, and what a failing disk leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "db/db_faulty.h"
#include "limits.h"
#include "store_helper.h"

static char *noise(size_t len)
{
	char *bytes = malloc(len + 1);
	assert_non_null(bytes);
	uint32_t x = 12345;
	for (size_t i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (char)(x >> 24);
	}
	return bytes;
}

static void read_all(struct store *store, int64_t blob_pk, size_t len, struct buffer *out)
{
	struct error err;
	while (out->len < len) {
		if (!blobs_read(store->blobs, blob_pk, (int64_t)out->len, len - out->len, out, &err))
			fail_msg("%s", err.message);
	}
}

static void test_blobs_of_every_size_come_back(void **state)
{
	static const size_t sizes[] = {0, 1, BLOB_CHUNK_BYTES - 1, BLOB_CHUNK_BYTES, BLOB_CHUNK_BYTES + 1,
				       3 * BLOB_CHUNK_BYTES, 3 * BLOB_CHUNK_BYTES + 7};
	struct store store;
	(void)state;
	store_open(&store);
	for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
		struct buffer out;
		char *bytes = noise(sizes[i]);
		int64_t blob_pk = store_blob(&store, slice_make(bytes, sizes[i]));
		buffer_init(&out, (size_t)8 << 20);
		read_all(&store, blob_pk, sizes[i], &out);
		assert_int_equal(out.len, sizes[i]);
		if (sizes[i] > 0)
			assert_memory_equal(out.ptr_or_null, bytes, sizes[i]);
		buffer_deinit(&out);
		free(bytes);
	}
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs")), ARRAY_COUNT(sizes));
	store_close(&store);
}

static void test_the_same_bytes_are_stored_once(void **state)
{
	struct store store;
	(void)state;
	store_open(&store);
	char *bytes = noise(2 * BLOB_CHUNK_BYTES + 5);
	int64_t first = store_blob(&store, slice_make(bytes, 2 * BLOB_CHUNK_BYTES + 5));
	int64_t again = store_blob(&store, slice_make(bytes, 2 * BLOB_CHUNK_BYTES + 5));
	int64_t small = store_blob(&store, SLICE("small"));
	assert_int_equal(first, again);
	assert_int_equal(small, store_blob(&store, SLICE("small")));
	assert_int_not_equal(first, small);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs WHERE sha256 NOT NULL")), 2);
	free(bytes);
	store_close(&store);
}

static void test_a_wrong_digest_stores_nothing(void **state)
{
	struct store store;
	struct blob_stage stage;
	struct error err;
	unsigned char expected[SHA256_BYTES] = {1};
	(void)state;
	store_open(&store);
	assert_true(blob_stage_init(&stage, &store.pins, &err));
	store_begin(store.blobs);
	assert_false(blob_stage_finish_in_txn(&stage, store.blobs, 0, SLICE("abc"), expected, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	store_rollback(store.blobs);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs")), 0);
	assert_true(digest_from_hex(SLICE("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), expected));
	store_begin(store.blobs);
	assert_true(blob_stage_finish_in_txn(&stage, store.blobs, 0, SLICE("abc"), expected, &err));
	store_commit(store.blobs);
	blob_stage_deinit(&stage);
	store_close(&store);
}

/* The committer runs jobs again when their group broke: same bytes, same digest, no orphan chunks. */
static void test_phases_that_run_twice_store_the_same(void **state)
{
	struct store store;
	struct blob_stage stage;
	struct error err;
	(void)state;
	store_open(&store);
	char *bytes = noise(2 * BLOB_CHUNK_BYTES + 9);
	struct slice first = slice_make(bytes, BLOB_CHUNK_BYTES);
	struct slice second = slice_make(bytes + BLOB_CHUNK_BYTES, BLOB_CHUNK_BYTES);
	struct slice rest = slice_make(bytes + 2 * BLOB_CHUNK_BYTES, 9);
	assert_true(blob_stage_init(&stage, &store.pins, &err));
	for (int run = 0; run < 2; run++) {
		store_begin(store.blobs);
		assert_true(blob_stage_append_in_txn(&stage, store.blobs, 0, first, &err));
		assert_true(blob_stage_append_in_txn(&stage, store.blobs, 1, second, &err));
		if (run == 0)
			store_rollback(store.blobs);
		else
			store_commit(store.blobs);
	}
	for (int run = 0; run < 2; run++) {
		store_begin(store.blobs);
		assert_true(blob_stage_finish_in_txn(&stage, store.blobs, 2, rest, NULL, &err));
		if (run == 0)
			store_rollback(store.blobs);
		else
			store_commit(store.blobs);
	}
	assert_int_equal(stage.blob_pk, store_blob(&store, slice_make(bytes, 2 * BLOB_CHUNK_BYTES + 9)));
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks WHERE blob_pk NOT IN "
						       "(SELECT blob_pk FROM blobs)")),
			 0);
	blob_stage_deinit(&stage);
	free(bytes);
	store_close(&store);
}

static void test_a_chunk_after_a_lost_one_is_refused(void **state)
{
	struct store store;
	struct blob_stage stage;
	struct error err;
	(void)state;
	store_open(&store);
	assert_true(blob_stage_init(&stage, &store.pins, &err));
	store_begin(store.blobs);
	assert_false(blob_stage_append_in_txn(&stage, store.blobs, 1, SLICE("x"), &err));
	assert_int_equal(err.code, ERR_TEMPORARILY_UNAVAILABLE);
	store_rollback(store.blobs);
	blob_stage_deinit(&stage);
	store_close(&store);
}

/* Every database call of an upload fails once; nothing is ever half there, and a second try works. */
static void test_a_full_disk_leaves_nothing_half_stored(void **state)
{
	(void)state;
	for (unsigned countdown = 1;; countdown++) {
		struct store store;
		struct blob_stage stage;
		struct error err;
		store_open(&store);
		assert_true(blob_stage_init(&stage, &store.pins, &err));
		db_faulty_set(store.blobs, countdown, ERR_STORAGE_FULL);
		bool ok = db_exec(store.blobs, SQL("BEGIN IMMEDIATE"), &err) &&
			  blob_stage_finish_in_txn(&stage, store.blobs, 0, SLICE("content"), NULL, &err) &&
			  db_exec(store.blobs, SQL("COMMIT"), &err);
		bool fired = db_faulty_fired(store.blobs);
		db_faulty_set(store.blobs, 0, ERR_NONE);
		assert_int_equal(ok, !fired);
		if (!ok)
			assert_int_equal(err.code, ERR_STORAGE_FULL);
		store_rollback(store.blobs);
		int64_t stored = ok ? 1 : 0;
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs")), stored);
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks")), stored);
		assert_true(store_blob(&store, SLICE("content")) > 0);
		blob_stage_deinit(&stage);
		store_close(&store);
		if (!fired)
			break;
		assert_true(countdown < 100);
	}
}

static void test_reader_keeps_a_chunk_and_notices_holes(void **state)
{
	struct store store;
	struct blob_reader reader;
	struct slice bytes;
	struct error err;
	(void)state;
	store_open(&store);
	char *content = noise(BLOB_CHUNK_BYTES + 10);
	int64_t blob_pk = store_blob(&store, slice_make(content, BLOB_CHUNK_BYTES + 10));
	blob_reader_init(&reader);
	assert_true(blob_reader_at(&reader, store.blobs, blob_pk, 5, &bytes, &err));
	assert_int_equal(bytes.len, BLOB_CHUNK_BYTES - 5);
	assert_memory_equal(bytes.ptr, content + 5, bytes.len);
	assert_true(blob_reader_at(&reader, store.blobs, blob_pk, BLOB_CHUNK_BYTES + 9, &bytes, &err));
	assert_int_equal(bytes.len, 1);
	assert_false(blob_reader_at(&reader, store.blobs, blob_pk, BLOB_CHUNK_BYTES + 10, &bytes, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	assert_false(blob_reader_at(&reader, store.blobs, 99, 0, &bytes, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	assert_true(blob_reader_at(&reader, store.blobs, blob_pk, 0, &bytes, &err));
	blob_reader_deinit(&reader);
	free(content);
	store_close(&store);
}

/* Blobs of these sizes with the bytes of noise(), one behind the other. */
static struct blob_part_list store_parts(struct store *store, const char *bytes, const size_t *sizes, size_t count)
{
	struct blob_part_list parts = {ARENA_NEW(&store->arena, struct blob_part, count), count};
	for (size_t i = 0; i < count; i++) {
		parts.items[i] = (struct blob_part){store_blob(store, slice_make(bytes, sizes[i])), (int64_t)sizes[i]};
		bytes += sizes[i];
	}
	return parts;
}

static bool finish_parts(struct store *store, struct blob_stage *stage, const struct blob_part_list *parts,
			 struct error *err)
{
	bool is_done = false;
	if (!blob_stage_init(stage, &store->pins, err))
		return false;
	while (!is_done) {
		if (!blob_stage_hash_parts(stage, store->blobs, parts, 1, &is_done, err))
			return false;
	}
	return db_exec(store->blobs, SQL("BEGIN IMMEDIATE"), err) &&
	       blob_stage_finish_parts_in_txn(stage, store->blobs, parts, err) &&
	       db_exec(store->blobs, SQL("COMMIT"), err);
}

static void test_parts_read_like_one_blob(void **state)
{
	static const size_t sizes[] = {1, BLOB_CHUNK_BYTES, 2 * BLOB_CHUNK_BYTES + 3, 7, BLOB_CHUNK_BYTES - 1};
	const size_t len = 4 * BLOB_CHUNK_BYTES + 10;
	struct store store;
	struct blob_stage stage, again;
	struct blob_reader reader;
	struct buffer out;
	struct slice bytes;
	struct error err;
	(void)state;
	store_open(&store);
	char *content = noise(len);
	struct blob_part_list parts = store_parts(&store, content, sizes, ARRAY_COUNT(sizes));
	if (!finish_parts(&store, &stage, &parts, &err))
		fail_msg("%s", err.message);
	assert_int_equal(stage.size, len);
	buffer_init(&out, len);
	read_all(&store, stage.blob_pk, len, &out);
	assert_memory_equal(out.ptr_or_null, content, len);
	blob_reader_init(&reader);
	for (size_t offset = 0; offset < len; offset += 99991) {
		assert_true(blob_reader_at(&reader, store.blobs, stage.blob_pk, (int64_t)offset, &bytes, &err));
		assert_true(bytes.len <= BLOB_CHUNK_BYTES && offset + bytes.len <= len);
		assert_memory_equal(bytes.ptr, content + offset, bytes.len);
	}
	assert_false(blob_reader_at(&reader, store.blobs, stage.blob_pk, (int64_t)len, &bytes, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	/* It has the name that the same bytes in one go have, and is found by it. */
	assert_int_equal(store_blob(&store, slice_make(content, len)), stage.blob_pk);
	assert_true(finish_parts(&store, &again, &parts, &err));
	assert_int_equal(again.blob_pk, stage.blob_pk);
	blob_reader_deinit(&reader);
	buffer_deinit(&out);
	blob_stage_deinit(&stage);
	blob_stage_deinit(&again);
	free(content);
	store_close(&store);
}

/* A part that consists of parts gives its own: a blob of parts is never a part. */
static void test_parts_have_no_parts(void **state)
{
	static const size_t sizes[] = {10, 20}, outer_sizes[] = {5, 30, 6};
	struct store store;
	struct blob_stage inner, outer;
	struct buffer out;
	struct error err;
	(void)state;
	store_open(&store);
	char *content = noise(41);
	struct blob_part_list parts = store_parts(&store, content + 5, sizes, ARRAY_COUNT(sizes));
	assert_true(finish_parts(&store, &inner, &parts, &err));
	parts = store_parts(&store, content, outer_sizes, ARRAY_COUNT(outer_sizes));
	assert_int_equal(parts.items[1].blob_pk, inner.blob_pk);
	assert_true(finish_parts(&store, &outer, &parts, &err));
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_parts")), 2 + 4);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_parts WHERE part_pk IN"
						       " (SELECT blob_pk FROM blob_parts)")), 0);
	buffer_init(&out, 41);
	read_all(&store, outer.blob_pk, 41, &out);
	assert_memory_equal(out.ptr_or_null, content, 41);
	buffer_deinit(&out);
	blob_stage_deinit(&inner);
	blob_stage_deinit(&outer);
	free(content);
	store_close(&store);
}

/* A part that is shorter than its row says, or gone, is noticed before the file is made. */
static void test_a_part_that_lost_bytes_is_noticed(void **state)
{
	static const size_t sizes[] = {10, BLOB_CHUNK_BYTES + 1};
	struct store store;
	struct blob_stage stage;
	struct error err;
	(void)state;
	store_open(&store);
	char *content = noise(BLOB_CHUNK_BYTES + 11);
	struct blob_part_list parts = store_parts(&store, content, sizes, ARRAY_COUNT(sizes));
	assert_true(db_exec(store.blobs, SQL("DELETE FROM blob_chunks WHERE seq = 1"), &err));
	assert_false(finish_parts(&store, &stage, &parts, &err));
	assert_int_equal(err.code, ERR_DATA_LOSS);
	blob_stage_deinit(&stage);
	free(content);
	store_close(&store);
}

/* Every database call of making a blob of parts fails once: there is all of it or nothing. */
static void test_a_full_disk_leaves_no_half_blob_of_parts(void **state)
{
	static const size_t sizes[] = {3, 4};
	(void)state;
	for (unsigned countdown = 1;; countdown++) {
		struct store store;
		struct blob_stage stage;
		struct error err;
		store_open(&store);
		struct blob_part_list parts = store_parts(&store, "abcdefg", sizes, ARRAY_COUNT(sizes));
		db_faulty_set(store.blobs, countdown, ERR_STORAGE_FULL);
		bool ok = finish_parts(&store, &stage, &parts, &err);
		bool fired = db_faulty_fired(store.blobs);
		db_faulty_set(store.blobs, 0, ERR_NONE);
		assert_int_equal(ok, !fired);
		store_rollback(store.blobs);
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_parts")), ok ? 2 : 0);
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs")), ok ? 3 : 2);
		blob_stage_deinit(&stage);
		store_close(&store);
		if (!fired)
			break;
		assert_true(countdown < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blobs_of_every_size_come_back),
		cmocka_unit_test(test_the_same_bytes_are_stored_once),
		cmocka_unit_test(test_a_wrong_digest_stores_nothing),
		cmocka_unit_test(test_phases_that_run_twice_store_the_same),
		cmocka_unit_test(test_a_chunk_after_a_lost_one_is_refused),
		cmocka_unit_test(test_a_full_disk_leaves_nothing_half_stored),
		cmocka_unit_test(test_reader_keeps_a_chunk_and_notices_holes),
		cmocka_unit_test(test_parts_read_like_one_blob),
		cmocka_unit_test(test_parts_have_no_parts),
		cmocka_unit_test(test_a_part_that_lost_bytes_is_noticed),
		cmocka_unit_test(test_a_full_disk_leaves_no_half_blob_of_parts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
