/* Owns the moving of points from tails into chunks (metrics.h: compact_run, housekeeping).
 *
 * A step takes some names of the open pass (metric_tail.h) and gives each name's new points a home:
 *
 *   behind all chunks, the normal case: new chunks. Small chunks before them are taken along as long as they
 *     hold no more than twice the new points, so sizes fall like a binary counter's digits: a series of n
 *     points has n / 4096 chunks and a few small ones, and a point is rewritten log2(4096 / batch) times.
 *   among up to REWRITE_CHUNKS_MAX chunks (stragglers, a backfill): these are rewritten with them.
 *   among more (points from all over the past): new chunks that overlap the others. Where PILE_CHUNKS of them
 *     lie above each other they are rewritten side by side, so that readers never merge many more.
 *
 * Repeats of points that are in a chunk are found in all three cases and dropped, so that no point is in two
 * chunks and metric_series.point_count is exact once the tail is empty. */
#include <setjmp.h>

#include "base/checked.h"
#include "base/log.h"
#include "store/metric_chunks.h"
#include "store/metric_series.h"
#include "store/metric_tail.h"
#include "store/metrics.h"

enum {
	/* A step ends after so many curves (12 to 40 µs each, by the size of the chunk that is
	 * rewritten) or points read and written (100 ns each): 2 to 5 ms, which is what a request
	 * may wait for it. One curve's share of a pass is never divided, so points scattered over
	 * the whole past of a long curve takes longer: 50 µs for each chunk they fall into. */
	STEP_SERIES_MAX = 128,
	STEP_SAMPLES_MAX = 32768,
	RUN_STEPS_MAX = 16, /* in one go, when a run ends */
	REWRITE_CHUNKS_MAX = 4,
	SMALL_CHUNKS_MAX = 16,
	PILE_CHUNKS = 8,
};

/* A pass (0.5 MB), the points of one curve and of the chunks rewritten with them, twice for sorting (4 MB). */
#define COMPACTION_BYTES_MAX ((size_t)64 * 1024 * 1024)

struct compaction {
	struct db *db;
	struct arena *arena;
	struct run_pk run_pk;
	size_t series_count; /* done in this step */
	size_t sample_count; /* read and written in this step */
};

/* The rows of a pass, read side by side. */
struct pass_cursor {
	struct metric_tail_reader *readers; /* those with a current group only */
	size_t count;
};

static bool step_guarded_in_txn(struct compaction *c, bool *done_out, struct error *err);
static bool step_in_txn(struct compaction *c, bool *done_out, struct error *err);
static bool pass_open(struct compaction *c, const struct metric_tail_rows *rows,
		      int64_t from_name_pk, struct pass_cursor *out, struct error *err);
static int64_t pass_least_name(const struct pass_cursor *pass);
static bool pass_take(struct compaction *c, struct pass_cursor *pass, int64_t name_pk,
		      struct metric_samples *out, struct error *err);
static bool compact_series_in_txn(struct compaction *c, struct name_pk name_pk,
				  struct metric_samples added, struct error *err);

/* One step for the run, in a savepoint: a tail that cannot be read is marked, logged and left alone, and nothing
 * else of the transaction is lost. */
static bool step_run_in_txn(struct db *db, struct run_pk run_pk, bool *done_out, struct error *err)
{
	struct arena arena;
	struct compaction c = {.db = db, .arena = &arena, .run_pk = run_pk};
	if (!db_exec(db, SQL("SAVEPOINT compaction"), err))
		return false;
	arena_init(&arena, COMPACTION_BYTES_MAX);
	bool ok = step_guarded_in_txn(&c, done_out, err);
	arena_deinit(&arena);
	if (!ok && err->code == ERR_DATA_LOSS && db_in_transaction(db)) {
		log_event(LOG_ERROR, "metric_tail_damaged", "run_pk=%lld", (long long)run_pk.value);
		error_clear(err);
		ok = db_exec(db, SQL("ROLLBACK TO compaction"), err) &&
		     metric_tail_mark_damaged_in_txn(db, run_pk, err);
		*done_out = true;
	}
	if (ok)
		return db_exec(db, SQL("RELEASE compaction"), err);
	return false;
}

bool metrics_compact_run_in_txn(struct db *db, struct run_pk run_pk, struct error *err)
{
	bool done = false;
	for (unsigned step = 0; !done && step < RUN_STEPS_MAX; step++)
		if (!step_run_in_txn(db, run_pk, &done, err))
			return false;
	return true;
}

bool metrics_housekeeping(struct db *db, bool is_idle, bool *more_out, struct error *err)
{
	struct metric_tail_run run;
	bool found = false;
	if (!metric_tail_find_longest(db, is_idle, &run, &found, err))
		return false;
	if (found) {
		bool done;
		if (!db_exec(db, SQL("BEGIN IMMEDIATE"), err))
			return false;
		if (!step_run_in_txn(db, run.run_pk, &done, err) ||
		    !db_exec(db, SQL("COMMIT"), err)) {
			struct error ignored; /* the first failure is the one to tell */
			db_reset_all(db);
			if (db_in_transaction(db))
				(void)!db_exec(db, SQL("ROLLBACK"), &ignored);
			return false;
		}
		if (!metric_tail_find_longest(db, is_idle, &run, &found, err))
			return false;
	}
	*more_out = found;
	return true;
}

static bool step_guarded_in_txn(struct compaction *c, bool *done_out, struct error *err)
{
	jmp_buf exhausted;
	if (setjmp(exhausted) != 0) {
		db_reset_all(c->db);
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "No memory to compact metrics; try again.");
	}
	arena_guard_set(c->arena, &exhausted);
	return step_in_txn(c, done_out, err);
}

static bool step_in_txn(struct compaction *c, bool *done_out, struct error *err)
{
	struct metric_tail_run run;
	struct metric_tail_rows rows;
	bool found = false;
	if (!metric_tail_find_run(c->db, c->run_pk, &run, &found, err))
		return false;
	if (!found || run.state == METRIC_TAIL_DAMAGED) {
		*done_out = true;
		return true;
	}
	struct pass_cursor pass;
	if (!metric_tail_load_pass(c->db, &run, c->arena, &rows, err))
		return false;
	if (rows.count == 0)
		return error_set(err, ERR_DATA_LOSS, "A run's tail of metric points is missing.");
	if (!pass_open(c, &rows, run.pass_name_pk, &pass, err))
		return false;
	while (pass.count > 0 && c->series_count < STEP_SERIES_MAX &&
	       c->sample_count < STEP_SAMPLES_MAX) {
		struct arena_mark mark = arena_mark(c->arena);
		struct name_pk name_pk = {pass_least_name(&pass)};
		struct metric_samples added;
		if (!pass_take(c, &pass, name_pk.value, &added, err) ||
		    !compact_series_in_txn(c, name_pk, added, err))
			return false;
		c->series_count++;
		arena_rewind(c->arena, mark);
	}
	*done_out = pass.count == 0 && rows.count == size_from_i64(run.row_count);
	if (pass.count > 0)
		return metric_tail_advance_in_txn(c->db, &run, &rows, pass_least_name(&pass), err);
	return metric_tail_finish_in_txn(c->db, &run, &rows, err);
}

/* ---- reading a pass ---- */

/* Drops readers that have come to their end. */
static bool reader_next(struct pass_cursor *pass, size_t index, bool *kept_out, struct error *err)
{
	if (!metric_tail_next(&pass->readers[index], kept_out, err))
		return false;
	if (!*kept_out)
		pass->readers[index] = pass->readers[--pass->count];
	return true;
}

static bool pass_open(struct compaction *c, const struct metric_tail_rows *rows,
		      int64_t from_name_pk, struct pass_cursor *out, struct error *err)
{
	struct pass_cursor pass = {
		.readers = ARENA_NEW(c->arena, struct metric_tail_reader, rows->count)};
	for (size_t i = 0; i < rows->count; i++) {
		size_t index = pass.count++;
		bool kept = false;
		if (!metric_tail_open(rows->items[i].data, &pass.readers[index], err) ||
		    !reader_next(&pass, index, &kept, err))
			return false;
		while (kept && pass.readers[index].name_pk < from_name_pk)
			if (!metric_tail_skip(&pass.readers[index], err) ||
			    !reader_next(&pass, index, &kept, err))
				return false;
	}
	*out = pass;
	return true;
}

static int64_t pass_least_name(const struct pass_cursor *pass)
{
	int64_t least = INT64_MAX;
	for (size_t i = 0; i < pass->count; i++)
		if (pass->readers[i].name_pk < least)
			least = pass->readers[i].name_pk;
	return least;
}

/* All points of a name, unsorted, with repeats. */
static bool pass_take(struct compaction *c, struct pass_cursor *pass, int64_t name_pk,
		      struct metric_samples *out, struct error *err)
{
	size_t count = 0;
	for (size_t i = 0; i < pass->count; i++)
		if (pass->readers[i].name_pk == name_pk)
			count += pass->readers[i].count;
	struct metric_samples samples = {ARENA_NEW(c->arena, struct metric_sample, count), 0};
	for (size_t i = 0; i < pass->count;) {
		bool kept = true;
		if (pass->readers[i].name_pk == name_pk &&
		    (!metric_tail_read(&pass->readers[i], &samples, err) ||
		     !reader_next(pass, i, &kept, err)))
			return false;
		if (kept)
			i++;
	}
	*out = samples;
	return true;
}

/* ---- one curve ---- */

/* New points of a curve on their way into chunks. */
struct home {
	struct metric_series_key key;
	struct metric_samples added;	/* ascending */
	struct metric_chunk_list taken; /* chunks to be rewritten with them */
	bool is_behind_all;		/* no more points are expected between these */
};

static bool find_home(struct compaction *c, struct home *home, struct error *err);
static bool take_small_before(struct compaction *c, struct home *home, struct error *err);
static bool drop_known(struct compaction *c, struct home *home,
		       const struct metric_chunk_list *overlapped, struct error *err);
static bool rewrite_in_txn(struct compaction *c, struct home *home,
			   struct metric_samples *merged_out, struct error *err);
static bool write_pieces_in_txn(struct compaction *c, const struct home *home,
				struct metric_samples samples, struct error *err);

static bool compact_series_in_txn(struct compaction *c, struct name_pk name_pk,
				  struct metric_samples added, struct error *err)
{
	size_t counted = added.count; /* what metric_series counted when the batches came */
	metric_samples_sort(&added, metric_sample_compare, c->arena);
	struct home home = {.key = {c->run_pk, name_pk}, .added = added};
	if (!find_home(c, &home, err))
		return false;
	size_t in_taken = 0;
	for (size_t i = 0; i < home.taken.count; i++)
		in_taken += (size_t)home.taken.items[i].point_count;
	struct metric_samples merged = home.added;
	if (home.taken.count > 0 && !rewrite_in_txn(c, &home, &merged, err))
		return false;
	if (merged.count > 0 && !write_pieces_in_txn(c, &home, merged, err))
		return false;
	c->sample_count += counted + in_taken;
	if (merged.count < in_taken)
		return error_set(err, ERR_DATA_LOSS, "A metric point is stored twice.");
	size_t new_count = merged.count - in_taken;
	return counted == new_count ||
	       metric_series_discount_in_txn(c->db, home.key, i64_from_size(counted - new_count),
					     err);
}

static bool is_behind(const struct metric_sample *a, const struct metric_sample *b)
{
	return a->timestamp_ms != b->timestamp_ms ? a->timestamp_ms > b->timestamp_ms
						  : a->step > b->step;
}

/* Those of the list that begin at or before `place` (and, as the list was made, end at or behind it). */
static struct metric_chunk_list keep_begun(struct compaction *c,
					   const struct metric_chunk_list *list,
					   const struct metric_sample *place)
{
	struct metric_chunk_list kept = {ARENA_NEW(c->arena, struct metric_chunk, list->count), 0};
	for (size_t i = 0; i < list->count; i++)
		if (!is_behind(&list->items[i].first, place))
			kept.items[kept.count++] = list->items[i];
	return kept;
}

/* Chooses the chunks to rewrite, and drops from home->added what chunks that stay have already. */
static bool find_home(struct compaction *c, struct home *home, struct error *err)
{
	const struct metric_sample *first = &home->added.items[0];
	const struct metric_sample *last = &home->added.items[home->added.count - 1];
	struct metric_chunk_list list;
	if (!metric_chunks_list(c->db, home->key, first->timestamp_ms, first->step, c->arena, &list,
				err))
		return false;
	struct metric_chunk_list overlapped = keep_begun(c, &list, last);
	home->is_behind_all = list.count == 0;
	if (overlapped.count == 0)
		return take_small_before(c, home, err);
	if (overlapped.count <= REWRITE_CHUNKS_MAX) {
		home->taken = overlapped;
		return true;
	}
	if (!drop_known(c, home, &overlapped, err))
		return false;
	if (home->added.count == 0)
		return true;
	struct metric_sample middle = home->added.items[home->added.count / 2];
	size_t pile = 0;
	struct metric_chunk_list begun = keep_begun(c, &overlapped, &middle);
	for (size_t i = 0; i < begun.count; i++)
		if (!is_behind(&middle, &begun.items[i].last))
			begun.items[pile++] = begun.items[i];
	if (pile >= PILE_CHUNKS)
		home->taken = (struct metric_chunk_list){begun.items, PILE_CHUNKS};
	return true;
}

/* Chunks that end before the new points, as long as they are no more than twice what is gathered so far. */
static bool take_small_before(struct compaction *c, struct home *home, struct error *err)
{
	struct metric_chunk *taken = ARENA_NEW(c->arena, struct metric_chunk, SMALL_CHUNKS_MAX);
	struct metric_sample place = home->added.items[0];
	size_t count = 0, gathered = home->added.count;
	while (count < SMALL_CHUNKS_MAX) {
		struct metric_chunk chunk;
		bool found = false;
		if (!metric_chunks_find_before(c->db, home->key, place.timestamp_ms, place.step,
					       &chunk, &found, err))
			return false;
		if (!found || chunk.point_count == METRIC_CHUNK_SAMPLES_MAX ||
		    (size_t)chunk.point_count > 2 * gathered)
			break;
		taken[count++] = chunk;
		gathered += (size_t)chunk.point_count;
		place = chunk.last;
	}
	home->taken = (struct metric_chunk_list){taken, count};
	return true;
}

static bool drop_known(struct compaction *c, struct home *home,
		       const struct metric_chunk_list *overlapped, struct error *err)
{
	struct metric_samples known = {
		ARENA_NEW(c->arena, struct metric_sample, METRIC_CHUNK_SAMPLES_MAX), 0};
	for (size_t i = 0; i < overlapped->count; i++) {
		const struct metric_chunk *chunk = &overlapped->items[i];
		size_t from = metric_samples_seek(&home->added, &chunk->first, false);
		if (from == home->added.count ||
		    metric_sample_compare(&home->added.items[from], &chunk->last) > 0)
			continue; /* spans the chunk without a point in it */
		known.count = 0;
		if (!metric_chunk_load(c->db, home->key, chunk, &known, c->arena, err))
			return false;
		metric_samples_subtract(&home->added, &known);
		c->sample_count += known.count;
	}
	return true;
}

/* Deletes the chunks that were taken and gives their points and the new ones as one. */
static bool rewrite_in_txn(struct compaction *c, struct home *home,
			   struct metric_samples *merged_out, struct error *err)
{
	size_t room = home->taken.count * METRIC_CHUNK_SAMPLES_MAX + home->added.count;
	struct metric_samples merged = {ARENA_NEW(c->arena, struct metric_sample, room), 0};
	for (size_t i = 0; i < home->taken.count; i++)
		if (!metric_chunk_load(c->db, home->key, &home->taken.items[i], &merged, c->arena,
				       err) ||
		    !metric_chunk_delete_in_txn(c->db, home->key, &home->taken.items[i], err))
			return false;
	memcpy(merged.items + merged.count, home->added.items,
	       home->added.count * sizeof(merged.items[0]));
	merged.count += home->added.count;
	metric_samples_sort(&merged, metric_sample_compare, c->arena);
	*merged_out = merged;
	return true;
}

/* At the end of a curve full chunks and a rest; elsewhere equal pieces, with room for more to come. */
static bool write_pieces_in_txn(struct compaction *c, const struct home *home,
				struct metric_samples samples, struct error *err)
{
	size_t pieces = (samples.count - 1) / METRIC_CHUNK_SAMPLES_MAX + 1;
	size_t piece_max =
		home->is_behind_all ? METRIC_CHUNK_SAMPLES_MAX : (samples.count - 1) / pieces + 1;
	while (samples.count > 0) {
		struct metric_samples piece = {
			samples.items, samples.count < piece_max ? samples.count : piece_max};
		if (!metric_chunk_insert_in_txn(c->db, home->key, &piece, c->arena, err))
			return false;
		samples.items += piece.count;
		samples.count -= piece.count;
	}
	return true;
}
