/* Owns the order in which unused blobs are found, made invisible and deleted. */
#include "artifacts/blob_sweep.h"

#include <stdlib.h>

#include "artifacts/multipart.h"

void blob_sweep_init(struct blob_sweep *sweep, struct blob_pins *pins)
{
	memset(sweep, 0, sizeof(*sweep));
	sweep->pins = pins;
}

void blob_sweep_deinit(struct blob_sweep *sweep)
{
	free(sweep->waiting.items);
	free(sweep->put_off.items);
	free(sweep->freed.items);
}

/* ---- on the loop -------------------------------------------------------------------------------- */

static void append(struct blob_pk_list *list, int64_t blob_pk)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
		int64_t *bigger = reallocarray(list->items, capacity, sizeof(*bigger));
		if (bigger == NULL)
			return;
		list->items = bigger;
		list->capacity = capacity;
	}
	list->items[list->count++] = blob_pk;
}

void blob_sweep_scan(struct blob_sweep *sweep)
{
	sweep->is_scanning = true;
	sweep->scan_after_pk = 0;
}

void blob_sweep_add(struct blob_sweep *sweep, const int64_t *blob_pks, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (blob_pks[i] != 0)
			append(&sweep->waiting, blob_pks[i]);
	}
}

bool blob_sweep_has_put_off(const struct blob_sweep *sweep)
{
	return sweep->put_off.count > 0;
}

void blob_sweep_retry(struct blob_sweep *sweep)
{
	blob_sweep_add(sweep, sweep->put_off.items, sweep->put_off.count);
	sweep->put_off.count = 0;
}

bool blob_sweep_begin(struct blob_sweep *sweep)
{
	sweep->batch_count = 0;
	sweep->deleted_count = 0;
	sweep->step_deleted_count = 0;
	while (sweep->waiting.count > 0 && sweep->batch_count < BLOB_SWEEP_BATCH_MAX) {
		sweep->batch[sweep->batch_count++] = (struct blob_sweep_item){
			.blob_pk = sweep->waiting.items[--sweep->waiting.count]};
	}
	return sweep->batch_count > 0 || sweep->is_scanning;
}

bool blob_sweep_has_candidates(const struct blob_sweep *sweep)
{
	for (size_t i = 0; i < sweep->batch_count; i++) {
		if (sweep->batch[i].fate == BLOB_SWEEP_CANDIDATE)
			return true;
	}
	return false;
}

bool blob_sweep_goes_on(struct blob_sweep *sweep)
{
	for (size_t i = sweep->deleted_count; i < sweep->step_deleted_count; i++) {
		sweep->blobs_deleted += sweep->batch[i].fate == BLOB_SWEEP_DELETE;
		/* A pin that was dropped meanwhile will not call retry any more. */
		int64_t blob_pk = sweep->batch[i].blob_pk;
		if (sweep->batch[i].fate == BLOB_SWEEP_PUT_OFF)
			append(blob_pins_holds(sweep->pins, blob_pk) ? &sweep->put_off
								     : &sweep->waiting,
			       blob_pk);
	}
	blob_sweep_add(sweep, sweep->freed.items, sweep->freed.count);
	sweep->freed.count = 0;
	sweep->deleted_count = sweep->step_deleted_count;
	return sweep->deleted_count < sweep->batch_count;
}

/* ---- on the lanes ------------------------------------------------------------------------------- */

/* The next page of all blobs, when nothing more urgent is in the batch. */
static bool take_page_of_scan(struct blob_sweep *sweep, struct db *blobs, struct error *err)
{
	int64_t pks[BLOB_SWEEP_BATCH_MAX];
	size_t count;
	if (!blobs_list(blobs, sweep->scan_after_pk, pks, BLOB_SWEEP_BATCH_MAX, &count, err))
		return false;
	for (size_t i = 0; i < count; i++)
		sweep->batch[i] = (struct blob_sweep_item){.blob_pk = pks[i]};
	sweep->batch_count = count;
	if (count > 0)
		sweep->scan_after_pk = pks[count - 1];
	if (count < BLOB_SWEEP_BATCH_MAX)
		sweep->is_scanning = false;
	return true;
}

/* An upload that becomes a file gives its parts to a blob first, and then gives them up: who looks
 * in this order sees one of the two. */
static bool has_row(struct db *tracker, struct db *blobs, int64_t blob_pk, bool *has_out,
		    struct error *err)
{
	return artifact_tree_refers_to(tracker, blob_pk, has_out, err) &&
	       (*has_out || multipart_refers_to(tracker, blob_pk, has_out, err)) &&
	       (*has_out || blobs_is_part(blobs, blob_pk, has_out, err));
}

static bool keep_what_has_rows(struct blob_sweep *sweep, struct db *tracker, struct db *blobs,
			       enum blob_sweep_fate otherwise, struct error *err)
{
	for (size_t i = 0; i < sweep->batch_count; i++) {
		struct blob_sweep_item *item = &sweep->batch[i];
		bool refers;
		if (item->fate != BLOB_SWEEP_CANDIDATE)
			continue;
		if (!has_row(tracker, blobs, item->blob_pk, &refers, err))
			return false;
		item->fate = refers ? BLOB_SWEEP_KEEP : otherwise;
	}
	return true;
}

bool blob_sweep_find(struct blob_sweep *sweep, struct db *tracker, struct db *blobs,
		     struct error *err)
{
	if (sweep->batch_count == 0 && sweep->is_scanning && !take_page_of_scan(sweep, blobs, err))
		return false;
	return keep_what_has_rows(sweep, tracker, blobs, BLOB_SWEEP_CANDIDATE, err);
}

bool blob_sweep_unname_in_txn(struct blob_sweep *sweep, struct db *blobs, struct error *err)
{
	for (size_t i = 0; i < sweep->batch_count; i++) {
		struct blob_sweep_item *item = &sweep->batch[i];
		if (item->fate == BLOB_SWEEP_KEEP)
			continue;
		item->fate = blob_pins_holds(sweep->pins, item->blob_pk) ? BLOB_SWEEP_PUT_OFF
									 : BLOB_SWEEP_CANDIDATE;
		if (item->fate == BLOB_SWEEP_CANDIDATE &&
		    !blobs_unname_in_txn(blobs, item->blob_pk, &item->had_name, item->name, err))
			return false;
	}
	return true;
}

bool blob_sweep_check(struct blob_sweep *sweep, struct db *tracker, struct db *blobs,
		      struct error *err)
{
	return keep_what_has_rows(sweep, tracker, blobs, BLOB_SWEEP_DELETE, err);
}

static void free_part(int64_t part_pk, void *ctx)
{
	struct blob_sweep *sweep = ctx;
	append(&sweep->freed, part_pk);
}

/* One item; *is_done_out when it needs no more steps. */
static bool delete_item(struct blob_sweep *sweep, struct db *blobs, struct blob_sweep_item *item,
			int64_t *chunk_budget, bool *is_done_out, struct error *err)
{
	*is_done_out = true;
	if (item->fate == BLOB_SWEEP_KEEP)
		return !item->had_name ||
		       blobs_rename_in_txn(blobs, item->blob_pk, item->name, err);
	if (item->fate == BLOB_SWEEP_DELETE && blob_pins_holds(sweep->pins, item->blob_pk))
		item->fate = BLOB_SWEEP_PUT_OFF;
	if (item->fate == BLOB_SWEEP_PUT_OFF)
		return true;
	return blobs_release_parts_in_txn(blobs, item->blob_pk, free_part, sweep, err) &&
	       blobs_delete_step_in_txn(blobs, item->blob_pk, chunk_budget, is_done_out, err);
}

bool blob_sweep_delete_in_txn(struct blob_sweep *sweep, struct db *blobs, struct error *err)
{
	int64_t chunk_budget = BLOB_SWEEP_CHUNKS_MAX;
	size_t i = sweep->deleted_count;
	sweep->freed.count = 0; /* this may be the second run */
	while (i < sweep->batch_count && chunk_budget > 0) {
		bool is_done;
		if (!delete_item(sweep, blobs, &sweep->batch[i], &chunk_budget, &is_done, err))
			return false;
		i += is_done;
	}
	sweep->step_deleted_count = i;
	return true;
}
