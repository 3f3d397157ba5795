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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
