/* Tests the rows of uploads in parts: what they keep alive, what frees it, and what a failing disk leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "artifacts/multipart.h"
#include "db/db_faulty.h"
#include "store_helper.h"

static void create(struct store *store, const char *upload_id, int64_t part_count, int64_t now_ms)
{
	const struct multipart_upload upload = {.upload_id = slice_from_cstr(upload_id),
						.path = SLICE("dir/file"),
						.part_count = part_count,
						.created_ms = now_ms};
	struct error err;
	store_begin(store->tracker);
	assert_true(multipart_create_in_txn(store->tracker, &upload, &err));
	store_commit(store->tracker);
}

static bool put_part(struct store *store, const char *upload_id, int64_t number, int64_t blob_pk, int64_t now_ms,
		     struct error *err)
{
	const struct multipart_part part = {.number = number, .blob_pk = blob_pk, .size = 1};
	store_begin(store->tracker);
	bool ok = multipart_put_part_in_txn(store->tracker, slice_from_cstr(upload_id), &part, now_ms, &store->arena,
					    &store->released, err);
	store_commit(store->tracker);
	return ok;
}

static struct multipart_part_list load(struct store *store, const char *upload_id, struct multipart_upload *upload)
{
	struct multipart_part_list parts;
	struct error err;
	assert_true(multipart_find(store->tracker, slice_from_cstr(upload_id), &store->arena, upload, &err));
	assert_true(multipart_load_parts(store->tracker, upload, &store->arena, &parts, &err));
	return parts;
}

static bool complete(struct store *store, const char *upload_id, const struct multipart_part_list *parts,
		     bool *was_complete, struct error *err)
{
	struct artifact_file file = {.blob_pk = 77, .size = 2, .modified_ms = 9};
	return db_exec(store->tracker, SQL("BEGIN IMMEDIATE"), err) &&
	       multipart_complete_in_txn(store->tracker, slice_from_cstr(upload_id), parts, &file, &store->arena,
					 &store->released, was_complete, err) &&
	       db_exec(store->tracker, SQL("COMMIT"), err);
}

static bool is_referred_to(struct store *store, int64_t blob_pk)
{
	struct error err;
	bool refers;
	assert_true(multipart_refers_to(store->tracker, blob_pk, &refers, &err));
	return refers;
}

static void test_parts_are_kept_and_replaced(void **state)
{
	struct store store;
	struct multipart_upload upload;
	struct error err;
	(void)state;
	store_open(&store);
	create(&store, "u", 3, 100);
	assert_true(put_part(&store, "u", 3, 13, 200, &err));
	assert_true(put_part(&store, "u", 1, 11, 300, &err));
	assert_true(put_part(&store, "u", 1, 11, 400, &err)); /* the same again frees nothing */
	assert_int_equal(store.released.count, 0);
	assert_true(put_part(&store, "u", 1, 14, 500, &err));
	assert_int_equal(store.released.count, 1);
	assert_int_equal(store.released.items[0], 11);
	assert_true(is_referred_to(&store, 14));
	assert_false(is_referred_to(&store, 11));
	struct multipart_part_list parts = load(&store, "u", &upload);
	assert_int_equal(parts.count, 2);
	assert_int_equal(parts.items[0].number, 1);
	assert_int_equal(parts.items[1].blob_pk, 13);
	assert_int_equal(upload.touched_ms, 500);
	assert_false(put_part(&store, "u", 4, 1, 0, &err));
	assert_int_equal(err.code, ERR_INVALID_PARAMETER_VALUE);
	assert_false(put_part(&store, "v", 1, 1, 0, &err));
	assert_int_equal(err.code, ERR_RESOURCE_DOES_NOT_EXIST);
	store_close(&store);
}

static void test_completion_wants_the_parts_it_saw(void **state)
{
	struct store store;
	struct multipart_upload upload;
	struct error err;
	bool was_complete;
	(void)state;
	store_open(&store);
	create(&store, "u", 2, 1);
	assert_true(put_part(&store, "u", 1, 11, 1, &err) && put_part(&store, "u", 2, 12, 1, &err));
	struct multipart_part_list seen = load(&store, "u", &upload);
	assert_true(put_part(&store, "u", 2, 13, 1, &err));
	assert_false(complete(&store, "u", &seen, &was_complete, &err));
	assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
	store_rollback(store.tracker);
	seen = load(&store, "u", &upload);
	assert_true(complete(&store, "u", &seen, &was_complete, &err));
	assert_false(was_complete);
	assert_true(complete(&store, "u", &seen, &was_complete, &err));
	assert_true(was_complete);
	assert_int_equal(store_number(store.tracker, SQL("SELECT blob_pk FROM artifact_files WHERE name = 'file'")), 77);
	assert_false(is_referred_to(&store, 11) || is_referred_to(&store, 13));
	assert_false(put_part(&store, "u", 1, 11, 1, &err));
	assert_int_equal(err.code, ERR_RESOURCE_CONFLICT);
	store_close(&store);
}

static void test_abort_and_expiry_free_the_parts(void **state)
{
	struct store store;
	struct error err;
	size_t count = 0;
	(void)state;
	store_open(&store);
	for (int i = 0; i < MULTIPART_EXPIRED_MAX + 2; i++) {
		const char id[] = {(char)('a' + i), '\0'};
		create(&store, id, 1, 1000 + i);
		assert_true(put_part(&store, id, 1, 50 + i, 1000 + i, &err));
	}
	store_begin(store.tracker);
	assert_true(multipart_abort_in_txn(store.tracker, SLICE("a"), &store.arena, &store.released, &err));
	assert_true(multipart_abort_in_txn(store.tracker, SLICE("a"), &store.arena, &store.released, &err));
	assert_int_equal(store.released.count, 1);
	/* Those before this moment, not the one at it; no more than some at a time. */
	assert_true(multipart_expire_in_txn(store.tracker, 1000, &store.arena, &store.released, &count, &err));
	assert_int_equal(count, 0);
	bool any;
	assert_true(multipart_any_expired(store.tracker, 1001, &any, &err) && !any);
	assert_true(multipart_any_expired(store.tracker, 1002, &any, &err) && any);
	assert_true(multipart_expire_in_txn(store.tracker, 1001 + MULTIPART_EXPIRED_MAX, &store.arena, &store.released,
					    &count, &err));
	assert_int_equal(count, MULTIPART_EXPIRED_MAX);
	store_commit(store.tracker);
	assert_int_equal(store.released.count, 1 + MULTIPART_EXPIRED_MAX);
	assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM multipart_parts")), 1);
	assert_true(is_referred_to(&store, 50 + MULTIPART_EXPIRED_MAX + 1));
	store_close(&store);
}

/* Every database call of completing fails once: the upload is as before, or the file is there. */
static void test_a_full_disk_completes_all_or_nothing(void **state)
{
	(void)state;
	for (unsigned countdown = 1;; countdown++) {
		struct store store;
		struct multipart_upload upload;
		struct error err;
		bool was_complete;
		store_open(&store);
		create(&store, "u", 1, 1);
		assert_true(put_part(&store, "u", 1, 11, 1, &err));
		struct multipart_part_list parts = load(&store, "u", &upload);
		db_faulty_set(store.tracker, countdown, ERR_STORAGE_FULL);
		bool ok = complete(&store, "u", &parts, &was_complete, &err);
		bool fired = db_faulty_fired(store.tracker);
		db_faulty_set(store.tracker, 0, ERR_NONE);
		assert_int_equal(ok, !fired);
		store_rollback(store.tracker);
		assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM multipart_parts")), ok ? 0 : 1);
		assert_int_equal(store_number(store.tracker, SQL("SELECT count(*) FROM artifact_files")), ok ? 1 : 0);
		(void)load(&store, "u", &upload);
		assert_int_equal(upload.is_complete, ok);
		store_close(&store);
		if (!fired)
			break;
		assert_true(countdown < 200);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts_are_kept_and_replaced),
		cmocka_unit_test(test_completion_wants_the_parts_it_saw),
		cmocka_unit_test(test_abort_and_expiry_free_the_parts),
		cmocka_unit_test(test_a_full_disk_completes_all_or_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
