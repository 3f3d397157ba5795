/* Owns the rows of metric_chunks. */
#include "store/metric_chunks.h"

#include "base/checked.h"

#define CHUNK_COLUMNS                                                                              \
	"last_timestamp_ms, last_step, seq, first_timestamp_ms, first_step, first_value, "         \
	"last_value,"                                                                              \
	" min_value, max_value, least_step, greatest_step, is_step_ordered, point_count, "         \
	"nan_count"

static bool chunk_read(const struct db_statement *st, struct metric_chunk *out, struct error *err);
static void list_add(struct metric_chunk_list *list, const struct metric_chunk *chunk,
		     struct arena *arena);
static void bind_place(struct db_statement *st, struct metric_series_key key, int64_t timestamp_ms,
		       int64_t step);

bool metric_chunks_list(struct db *db, struct metric_series_key key, int64_t timestamp_ms,
			int64_t step, struct arena *arena, struct metric_chunk_list *out,
			struct error *err)
{
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT " CHUNK_COLUMNS " FROM metric_chunks"
						 " WHERE run_pk = $1 AND name_pk = $2"
						 " AND (last_timestamp_ms, last_step) >= ($3, $4)"
						 " ORDER BY last_timestamp_ms, last_step, seq"),
					     err);
	if (st == NULL)
		return false;
	bind_place(st, key, timestamp_ms, step);
	struct metric_chunk_list list = {0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct metric_chunk chunk;
		if (!chunk_read(st, &chunk, err)) {
			db_reset(st);
			return false;
		}
		list_add(&list, &chunk, arena);
	}
	if (row == DB_FAILED)
		return false;
	*out = list;
	return true;
}

bool metric_chunks_find_before(struct db *db, struct metric_series_key key, int64_t timestamp_ms,
			       int64_t step, struct metric_chunk *out, bool *found_out,
			       struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT " CHUNK_COLUMNS " FROM metric_chunks"
		    " WHERE run_pk = $1 AND name_pk = $2"
		    " AND (last_timestamp_ms, last_step) < ($3, $4)"
		    " ORDER BY last_timestamp_ms DESC, last_step DESC, seq DESC LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	bind_place(st, key, timestamp_ms, step);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	bool ok = !found || chunk_read(st, out, err);
	db_reset(st);
	if (ok)
		*found_out = found;
	return ok;
}

bool metric_chunk_load(struct db *db, struct metric_series_key key,
		       const struct metric_chunk *chunk, struct metric_samples *out,
		       struct arena *arena, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT data FROM metric_chunks WHERE run_pk = $1 AND name_pk = $2"
			       " AND last_timestamp_ms = $3 AND last_step = $4 AND seq = $5"),
			   err);
	if (st == NULL)
		return false;
	bind_place(st, key, chunk->last.timestamp_ms, chunk->last.step);
	db_bind_i64(st, 5, chunk->seq);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "Metric points vanished while they were read.");
	struct metric_samples samples = {out->items + out->count, 0};
	bool ok = metric_chunk_decode(db_column_blob(st, 0), chunk->point_count, &samples, arena,
				      err);
	db_reset(st);
	if (!ok)
		return false;
	if (metric_sample_compare(&samples.items[0], &chunk->first) != 0 ||
	    metric_sample_compare(&samples.items[samples.count - 1], &chunk->last) != 0)
		return error_set(err, ERR_DATA_LOSS, "Stored metric points are damaged.");
	out->count += samples.count;
	return true;
}

bool metric_chunk_insert_in_txn(struct db *db, struct metric_series_key key,
				const struct metric_samples *samples, struct arena *arena,
				struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO metric_chunks (run_pk, name_pk, last_timestamp_ms, last_step, seq,"
		    " first_timestamp_ms, first_step, first_value, last_value, min_value, "
		    "max_value,"
		    " least_step, greatest_step, is_step_ordered, point_count, nan_count, data)"
		    " SELECT $1, $2, $3, $4, coalesce(max(seq) + 1, 0),"
		    " $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16 FROM metric_chunks"
		    " WHERE run_pk = $1 AND name_pk = $2 AND last_timestamp_ms = $3 AND last_step "
		    "= $4"),
		err);
	if (st == NULL)
		return false;
	struct metric_outline outline;
	metric_samples_outline(samples, &outline);
	struct arena_mark mark = arena_mark(arena);
	bind_place(st, key, outline.last.timestamp_ms, outline.last.step);
	db_bind_i64(st, 5, outline.first.timestamp_ms);
	db_bind_i64(st, 6, outline.first.step);
	metric_value_bind(st, 7, outline.first.value);
	metric_value_bind(st, 8, outline.last.value);
	metric_value_bind(st, 9, outline.min);
	metric_value_bind(st, 10, outline.max);
	db_bind_i64(st, 11, outline.step_least);
	db_bind_i64(st, 12, outline.step_greatest);
	db_bind_i64(st, 13, outline.is_step_ordered ? 1 : 0);
	db_bind_i64(st, 14, i64_from_size(outline.count));
	db_bind_i64(st, 15, i64_from_size(outline.nan_count));
	db_bind_blob(st, 16, metric_chunk_encode(samples, arena));
	bool ok = db_run(st, err);
	arena_rewind(arena, mark);
	return ok;
}

bool metric_chunk_delete_in_txn(struct db *db, struct metric_series_key key,
				const struct metric_chunk *chunk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM metric_chunks WHERE run_pk = $1 AND name_pk = $2"
			       " AND last_timestamp_ms = $3 AND last_step = $4 AND seq = $5"),
			   err);
	if (st == NULL)
		return false;
	bind_place(st, key, chunk->last.timestamp_ms, chunk->last.step);
	db_bind_i64(st, 5, chunk->seq);
	return db_run(st, err);
}

static bool chunk_read(const struct db_statement *st, struct metric_chunk *out, struct error *err)
{
	struct metric_chunk chunk = {
		.last = {.timestamp_ms = db_column_i64(st, 0),
			 .step = db_column_i64(st, 1),
			 .value = metric_value_column(st, 6)},
		.seq = db_column_i64(st, 2),
		.first = {.timestamp_ms = db_column_i64(st, 3),
			  .step = db_column_i64(st, 4),
			  .value = metric_value_column(st, 5)},
		.min = metric_value_column(st, 7),
		.max = metric_value_column(st, 8),
		.step_least = db_column_i64(st, 9),
		.step_greatest = db_column_i64(st, 10),
		.is_step_ordered = db_column_i64(st, 11) != 0,
		.point_count = db_column_i64(st, 12),
		.nan_count = db_column_i64(st, 13),
	};
	if (chunk.point_count < 1 || chunk.point_count > METRIC_CHUNK_SAMPLES_MAX ||
	    chunk.nan_count < 0 || chunk.nan_count > chunk.point_count ||
	    metric_sample_compare(&chunk.first, &chunk.last) > 0)
		return error_set(err, ERR_DATA_LOSS, "Stored metric points are damaged.");
	*out = chunk;
	return true;
}

static void list_add(struct metric_chunk_list *list, const struct metric_chunk *chunk,
		     struct arena *arena)
{
	/* Grows at the powers of two. */
	if ((list->count & (list->count - 1)) == 0) {
		size_t capacity = list->count == 0 ? 1 : 2 * list->count;
		struct metric_chunk *items = ARENA_NEW(arena, struct metric_chunk, capacity);
		if (list->count > 0)
			memcpy(items, list->items, list->count * sizeof(items[0]));
		list->items = items;
	}
	list->items[list->count++] = *chunk;
}

static void bind_place(struct db_statement *st, struct metric_series_key key, int64_t timestamp_ms,
		       int64_t step)
{
	db_bind_i64(st, 1, key.run_pk.value);
	db_bind_i64(st, 2, key.name_pk.value);
	db_bind_i64(st, 3, timestamp_ms);
	db_bind_i64(st, 4, step);
}
