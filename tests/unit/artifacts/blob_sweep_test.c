/* Tests the sweep: what it deletes, what it leaves, and every order in which an upload can meet it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "artifacts/blob_sweep.h"
#include "limits.h"
#include "store_helper.h"

/* The steps of a batch, so that a test can put something between any two. */
enum step { STEP_FIND, STEP_UNNAME, STEP_CHECK, STEP_DELETE, STEPS };

static void run_step(struct store *store, struct blob_sweep *sweep, enum step step)
{
	struct error err;
	bool ok = true;
	switch (step) {
	case STEP_FIND:
		ok = blob_sweep_find(sweep, store->tracker, store->blobs, &err);
		break;
	case STEP_UNNAME:
		store_begin(store->blobs);
		ok = blob_sweep_unname_in_txn(sweep, store->blobs, &err);
		store_commit(store->blobs);
		break;
	case STEP_CHECK:
		ok = blob_sweep_check(sweep, store->tracker, store->blobs, &err);
		break;
	case STEP_DELETE:
	case STEPS:
		do {
			store_begin(store->blobs);
			ok = blob_sweep_delete_in_txn(sweep, store->blobs, &err);
			store_commit(store->blobs);
		} while (ok && blob_sweep_goes_on(sweep));
		break;
	}
	if (!ok)
		fail_msg("%s", err.message);
}

static void sweep_all(struct store *store, struct blob_sweep *sweep)
{
	while (blob_sweep_begin(sweep)) {
		for (int step = 0; step < STEPS; step++)
			run_step(store, sweep, (enum step)step);
	}
}

static int64_t blob_count(struct store *store)
{
	return store_number(store->blobs, SQL("SELECT count(*) FROM blobs"));
}

/* The order of an upload of `bytes` to "late", cut into what its two jobs do. */
struct late_upload {
	struct blob_stage stage;
	struct slice bytes;
};

static void late_finish(struct store *store, struct late_upload *upload)
{
	struct error err;
	assert_true(blob_stage_init(&upload->stage, &store->pins, &err));
	store_begin(store->blobs);
	assert_true(blob_stage_finish_in_txn(&upload->stage, store->blobs, 0, upload->bytes, NULL, &err));
	store_commit(store->blobs);
}

static void late_commit(struct store *store, struct late_upload *upload)
{
	struct artifact_file file = {.path = SLICE("late"), .size = upload->stage.size};
	struct artifact_file_list list = {&file, 1};
	struct error err;
	file.blob_pk = upload->stage.blob_pk;
	memcpy(file.sha256, upload->stage.sha256, SHA256_BYTES);
	store_begin(store->tracker);
	assert_true(artifact_tree_put_in_txn(store->tracker, SLICE(""), &list, &store->arena, &store->released, &err));
	store_commit(store->tracker);
	blob_stage_deinit(&upload->stage);
}

static void test_scan_deletes_what_no_row_refers_to(void **state)
{
	struct store store;
	struct blob_sweep sweep;
	struct error err;
	(void)state;
	store_open(&store);
	blob_sweep_init(&sweep, &store.pins);
	assert_true(store_put(&store, "kept", SLICE("kept"), &err));
	for (int i = 0; i < 200; i++) {
		char text[8] = {(char)('a' + i % 26), (char)('a' + i / 26)};
		(void)store_blob(&store, slice_make(text, 2));
	}
	assert_int_equal(blob_count(&store), 201);
	blob_sweep_scan(&sweep);
	sweep_all(&store, &sweep);
	assert_int_equal(blob_count(&store), 1);
	assert_int_equal(sweep.blobs_deleted, 200);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks")), 1);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blobs WHERE sha256 NOT NULL")), 1);
	blob_sweep_deinit(&sweep);
	store_close(&store);
}

static void test_large_blobs_are_deleted_in_steps(void **state)
{
	struct store store;
	struct blob_sweep sweep;
	struct error err;
	size_t len = (BLOB_SWEEP_CHUNKS_MAX * 2 + 1) * (size_t)BLOB_CHUNK_BYTES;
	(void)state;
	store_open(&store);
	char *bytes = calloc(len, 1);
	assert_non_null(bytes);
	int64_t pk = store_blob(&store, slice_make(bytes, len));
	free(bytes);
	blob_sweep_init(&sweep, &store.pins);
	blob_sweep_add(&sweep, &pk, 1);
	assert_true(blob_sweep_begin(&sweep));
	for (int step = STEP_FIND; step < STEP_DELETE; step++)
		run_step(&store, &sweep, (enum step)step);
	for (int64_t left = BLOB_SWEEP_CHUNKS_MAX + 1; left >= 0; left -= BLOB_SWEEP_CHUNKS_MAX) {
		store_begin(store.blobs);
		assert_true(blob_sweep_delete_in_txn(&sweep, store.blobs, &err));
		store_commit(store.blobs);
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks")), left);
		assert_true(blob_sweep_goes_on(&sweep));
	}
	run_step(&store, &sweep, STEP_DELETE);
	assert_int_equal(blob_count(&store), 0);
	blob_sweep_deinit(&sweep);
	store_close(&store);
}

/* An upload of the same bytes begins before step `begin` and commits its row before step `end`: whatever the two,
 * afterwards the file is there with its bytes. */
static void test_an_upload_never_loses_the_blob_it_found(void **state)
{
	(void)state;
	for (int begin = 0; begin <= STEPS; begin++) {
		for (int end = begin; end <= STEPS; end++) {
			struct store store;
			struct blob_sweep sweep;
			struct buffer out;
			struct late_upload upload = {.bytes = SLICE("the same bytes")};
			store_open(&store);
			blob_sweep_init(&sweep, &store.pins);
			int64_t pk = store_blob(&store, upload.bytes);
			blob_sweep_add(&sweep, &pk, 1);
			assert_true(blob_sweep_begin(&sweep));
			for (int step = 0; step <= STEPS; step++) {
				if (step == begin)
					late_finish(&store, &upload);
				if (step == end)
					late_commit(&store, &upload);
				if (step < STEPS)
					run_step(&store, &sweep, (enum step)step);
			}
			blob_sweep_retry(&sweep);
			blob_sweep_scan(&sweep);
			sweep_all(&store, &sweep);
			buffer_init(&out, 100);
			store_get(&store, "late", &out);
			assert_true(slice_eq_cstr(buffer_slice(&out), "the same bytes"));
			assert_int_equal(blob_count(&store), 1);
			/* And it can be shared again. */
			assert_int_equal(store_blob(&store, upload.bytes), upload.stage.blob_pk);
			buffer_deinit(&out);
			blob_sweep_deinit(&sweep);
			store_close(&store);
		}
	}
}

static void test_pinned_blobs_wait_until_they_are_let_go(void **state)
{
	(void)state;
	for (int pin_before = STEP_FIND; pin_before <= STEP_DELETE; pin_before++) {
		struct store store;
		struct blob_sweep sweep;
		struct blob_pin pin = {0};
		store_open(&store);
		blob_sweep_init(&sweep, &store.pins);
		int64_t pk = store_blob(&store, SLICE("being downloaded"));
		blob_sweep_add(&sweep, &pk, 1);
		assert_true(blob_sweep_begin(&sweep));
		for (int step = 0; step < STEPS; step++) {
			if (step == pin_before)
				blob_pins_hold_many(&store.pins, &pin, &pk, 1);
			run_step(&store, &sweep, (enum step)step);
		}
		assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks")), 1);
		assert_true(blob_sweep_has_put_off(&sweep));
		assert_false(blob_sweep_begin(&sweep));
		blob_pins_drop(&pin);
		blob_sweep_retry(&sweep);
		sweep_all(&store, &sweep);
		assert_int_equal(blob_count(&store), 0);
		blob_sweep_deinit(&sweep);
		store_close(&store);
	}
}

static void test_staged_rows_of_an_upload_under_way_are_left_alone(void **state)
{
	struct store store;
	struct blob_sweep sweep;
	struct blob_stage stage;
	struct error err;
	(void)state;
	store_open(&store);
	blob_sweep_init(&sweep, &store.pins);
	char *bytes = calloc(BLOB_CHUNK_BYTES, 1);
	assert_non_null(bytes);
	assert_true(blob_stage_init(&stage, &store.pins, &err));
	store_begin(store.blobs);
	assert_true(blob_stage_append_in_txn(&stage, store.blobs, 0, slice_make(bytes, BLOB_CHUNK_BYTES), &err));
	store_commit(store.blobs);
	blob_sweep_scan(&sweep);
	sweep_all(&store, &sweep);
	assert_int_equal(store_number(store.blobs, SQL("SELECT count(*) FROM blob_chunks")), 1);
	blob_stage_deinit(&stage); /* abandoned */
	blob_sweep_retry(&sweep);
	sweep_all(&store, &sweep);
	assert_int_equal(blob_count(&store), 0);
	free(bytes);
	blob_sweep_deinit(&sweep);
	store_close(&store);
}

static void test_pins_know_what_they_hold(void **state)
{
	static const int64_t many[] = {2, 5, 9};
	struct blob_pins pins;
	struct blob_pin all = {0}, two = {0}, list = {0};
	(void)state;
	blob_pins_init(&pins);
	assert_false(blob_pins_holds(&pins, 5));
	blob_pins_hold_two(&pins, &two, 7, 0);
	blob_pins_hold_many(&pins, &list, many, ARRAY_COUNT(many));
	for (int64_t pk = 1; pk < 12; pk++)
		assert_int_equal(blob_pins_holds(&pins, pk), pk == 2 || pk == 5 || pk == 7 || pk == 9);
	blob_pins_hold_all(&pins, &all);
	assert_true(blob_pins_holds(&pins, 11));
	blob_pins_hold_two(&pins, &all, 3, 4);
	assert_false(blob_pins_holds(&pins, 11));
	assert_true(blob_pins_holds(&pins, 4));
	blob_pins_drop(&two);
	blob_pins_drop(&two);
	blob_pins_drop(&list);
	blob_pins_drop(&all);
	assert_false(blob_pins_holds(&pins, 7));
	blob_pins_deinit(&pins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scan_deletes_what_no_row_refers_to),
		cmocka_unit_test(test_large_blobs_are_deleted_in_steps),
		cmocka_unit_test(test_an_upload_never_loses_the_blob_it_found),
		cmocka_unit_test(test_pinned_blobs_wait_until_they_are_let_go),
		cmocka_unit_test(test_staged_rows_of_an_upload_under_way_are_left_alone),
		cmocka_unit_test(test_pins_know_what_they_hold),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
