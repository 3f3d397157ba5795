/* Owns the rows of artifacts.db: blobs, their chunks and their parts. */
#include "artifacts/blobs.h"

#include "base/log.h"
#include "limits.h"

static struct slice digest_slice(const unsigned char *digest)
{
	return slice_make((const char *)digest, SHA256_BYTES);
}

/* ---- writing ------------------------------------------------------------------------------------ */

bool blob_stage_init(struct blob_stage *stage, struct blob_pins *pins, struct error *err)
{
	memset(stage, 0, sizeof(*stage));
	stage->pins = pins;
	return digest_init(&stage->hash, err);
}

void blob_stage_deinit(struct blob_stage *stage)
{
	blob_pins_drop(&stage->pin);
	digest_deinit(&stage->hash);
}

/* Adds the chunk to the digest, unless an earlier run of the same transaction did. */
static bool hash_once(struct blob_stage *stage, int64_t seq, struct slice bytes, struct error *err)
{
	int64_t begin = seq * BLOB_CHUNK_BYTES;
	int64_t end = begin + (int64_t)bytes.len;
	if (bytes.len == 0 || stage->hashed_bytes >= end)
		return true;
	if (stage->hashed_bytes != begin)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "An earlier part of this upload could not be stored; try again.");
	digest_update(&stage->hash, bytes);
	stage->hashed_bytes = end;
	return true;
}

/* A row without a name, pinned before anybody else can see it. */
static bool create_row(struct blob_stage *stage, struct db *blobs, struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs, SQL("INSERT INTO blobs (size) VALUES (0) RETURNING blob_pk"), err);
	bool found;
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	stage->staged_pk = db_column_i64(st, 0);
	db_reset(st);
	blob_pins_hold_two(stage->pins, &stage->pin, stage->staged_pk, 0);
	return true;
}

static bool insert_chunk(const struct blob_stage *stage, struct db *blobs, int64_t seq,
			 struct slice bytes, struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs, SQL("INSERT INTO blob_chunks (blob_pk, seq, data) VALUES ($1, $2, $3)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, stage->staged_pk);
	db_bind_i64(st, 2, seq);
	db_bind_blob(st, 3, bytes);
	return db_run(st, err);
}

bool blob_stage_append_in_txn(struct blob_stage *stage, struct db *blobs, int64_t seq,
			      struct slice bytes, struct error *err)
{
	ASSERT(bytes.len > 0 && bytes.len <= BLOB_CHUNK_BYTES);
	/* The first chunk makes the row anew when its transaction is run again: the old one was
	 * rolled back. */
	return hash_once(stage, seq, bytes, err) && (seq > 0 || create_row(stage, blobs, err)) &&
	       insert_chunk(stage, blobs, seq, bytes, err);
}

/* 0 if no blob has that name. */
static bool find_by_name(struct db *blobs, const unsigned char *sha256, int64_t *blob_pk_out,
			 struct error *err)
{
	struct db_statement *st =
		db_prepare(blobs, SQL("SELECT blob_pk FROM blobs WHERE sha256 = $1"), err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_blob(st, 1, digest_slice(sha256));
	if (!db_fetch_one(st, &found, err))
		return false;
	*blob_pk_out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

static bool give_name(struct blob_stage *stage, struct db *blobs, struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs, SQL("UPDATE blobs SET sha256 = $1, size = $2 WHERE blob_pk = $3"), err);
	if (st == NULL)
		return false;
	db_bind_blob(st, 1, digest_slice(stage->sha256));
	db_bind_i64(st, 2, stage->size);
	db_bind_i64(st, 3, stage->staged_pk);
	return db_run(st, err);
}

bool blob_stage_check(struct blob_stage *stage, const unsigned char *expected_or_null,
		      struct error *err)
{
	char actual[SHA256_HEX_LEN + 1], expected[SHA256_HEX_LEN + 1];
	digest_value(&stage->hash, stage->sha256);
	stage->size = stage->hashed_bytes;
	if (expected_or_null == NULL || memcmp(stage->sha256, expected_or_null, SHA256_BYTES) == 0)
		return true;
	digest_hex(stage->sha256, actual);
	digest_hex(expected_or_null, expected);
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"The body has the SHA-256 %s, but the request says %s: it was damaged on the way. "
		"Nothing was stored.",
		actual, expected);
}

/* Takes the blob that has these bytes already, if there is one. */
static bool find_older(struct blob_stage *stage, struct db *blobs, bool *found_out,
		       struct error *err)
{
	int64_t older_pk;
	if (!find_by_name(blobs, stage->sha256, &older_pk, err))
		return false;
	*found_out = older_pk != 0;
	if (older_pk != 0) {
		stage->blob_pk = older_pk;
		blob_pins_hold_two(stage->pins, &stage->pin, stage->staged_pk, older_pk);
	}
	return true;
}

bool blob_stage_finish_in_txn(struct blob_stage *stage, struct db *blobs, int64_t seq,
			      struct slice rest, const unsigned char *expected_or_null,
			      struct error *err)
{
	bool found;
	ASSERT(rest.len <= BLOB_CHUNK_BYTES);
	if (!hash_once(stage, seq, rest, err) || !blob_stage_check(stage, expected_or_null, err) ||
	    !find_older(stage, blobs, &found, err))
		return false;
	if (found)
		return true;
	if (seq == 0 && !create_row(stage, blobs, err))
		return false;
	if (rest.len > 0 && !insert_chunk(stage, blobs, seq, rest, err))
		return false;
	stage->blob_pk = stage->staged_pk;
	return give_name(stage, blobs, err);
}

/* ---- reading ------------------------------------------------------------------------------------ */

static bool fail_lost(int64_t blob_pk, int64_t offset, struct error *err)
{
	log_event(LOG_ERROR, "blob_bytes_missing", "blob_pk=%lld offset=%lld", (long long)blob_pk,
		  (long long)offset);
	return error_set(err, ERR_DATA_LOSS,
			 "The bytes of this artifact are missing from the database.");
}

/* Where byte *offset of the blob is: in itself, or in one of its parts; *begin_out is where that
 * begins in the blob. */
static bool find_part(struct db *blobs, int64_t *blob_pk, int64_t *offset, int64_t *begin_out,
		      struct error *err)
{
	struct db_statement *st = db_prepare(blobs,
					     SQL("SELECT part_pk, begin_offset FROM blob_parts"
						 " WHERE blob_pk = $1 AND begin_offset <= $2 ORDER "
						 "BY begin_offset DESC LIMIT 1"),
					     err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, *blob_pk);
	db_bind_i64(st, 2, *offset);
	if (!db_fetch_one(st, &found, err))
		return false;
	*begin_out = found ? db_column_i64(st, 1) : 0;
	if (found)
		*blob_pk = db_column_i64(st, 0);
	*offset -= *begin_out;
	db_reset(st);
	return true;
}

/* The chunk that byte `offset` is in, empty if there is none; *begin_out is where the chunk begins
 * in the blob. The statement stands on its row, unless this fails. */
static struct db_statement *fetch_chunk(struct db *blobs, int64_t blob_pk, int64_t offset,
					struct slice *chunk_out, int64_t *begin_out,
					struct error *err)
{
	bool found;
	if (!find_part(blobs, &blob_pk, &offset, begin_out, err))
		return NULL;
	struct db_statement *st = db_prepare(
		blobs, SQL("SELECT data FROM blob_chunks WHERE blob_pk = $1 AND seq = $2"), err);
	if (st == NULL)
		return NULL;
	db_bind_i64(st, 1, blob_pk);
	db_bind_i64(st, 2, offset / BLOB_CHUNK_BYTES);
	if (!db_fetch_one(st, &found, err))
		return NULL;
	*begin_out += offset - offset % BLOB_CHUNK_BYTES;
	*chunk_out = found ? db_column_blob(st, 0) : (struct slice){0};
	return st;
}

bool blobs_read(struct db *blobs, int64_t blob_pk, int64_t offset, size_t bytes_max,
		struct buffer *out, struct error *err)
{
	struct slice bytes;
	int64_t begin;
	struct db_statement *st = fetch_chunk(blobs, blob_pk, offset, &bytes, &begin, err);
	if (st == NULL)
		return false;
	bytes = slice_first(slice_from(bytes, (size_t)(offset - begin)), bytes_max);
	buffer_append(out, bytes);
	db_reset(st);
	if (bytes.len == 0)
		return fail_lost(blob_pk, offset, err);
	return buffer_check(out, "A piece of the reply", err);
}

void blob_reader_init(struct blob_reader *reader)
{
	reader->blob_pk = 0;
	reader->begin = 0;
	buffer_init(&reader->chunk, BLOB_CHUNK_BYTES);
}

void blob_reader_deinit(struct blob_reader *reader)
{
	buffer_deinit(&reader->chunk);
}

static bool reader_has(const struct blob_reader *reader, int64_t blob_pk, int64_t offset)
{
	return reader->blob_pk == blob_pk && offset >= reader->begin &&
	       offset - reader->begin < (int64_t)reader->chunk.len;
}

static bool reader_load(struct blob_reader *reader, struct db *blobs, int64_t blob_pk,
			int64_t offset, struct error *err)
{
	struct slice chunk;
	reader->blob_pk = 0;
	buffer_reset(&reader->chunk);
	struct db_statement *st = fetch_chunk(blobs, blob_pk, offset, &chunk, &reader->begin, err);
	if (st == NULL)
		return false;
	buffer_append(&reader->chunk, chunk);
	db_reset(st);
	if (!buffer_check(&reader->chunk, "A piece of the reply", err))
		return false;
	reader->blob_pk = blob_pk;
	return true;
}

bool blob_reader_at(struct blob_reader *reader, struct db *blobs, int64_t blob_pk, int64_t offset,
		    struct slice *out, struct error *err)
{
	if (!reader_has(reader, blob_pk, offset) &&
	    !reader_load(reader, blobs, blob_pk, offset, err))
		return false;
	if (!reader_has(reader, blob_pk, offset))
		return fail_lost(blob_pk, offset, err);
	*out = slice_from(buffer_slice(&reader->chunk), (size_t)(offset - reader->begin));
	return true;
}

/* ---- blobs of parts ----------------------------------------------------------------------------- */

/* Adds the rest of one chunk of a part to the digest. */
static bool hash_chunk(struct blob_stage *stage, struct db *blobs, const struct blob_part *part,
		       int64_t offset, struct error *err)
{
	struct slice bytes;
	int64_t begin;
	struct db_statement *st = fetch_chunk(blobs, part->blob_pk, offset, &bytes, &begin, err);
	if (st == NULL)
		return false;
	bytes = slice_from(bytes, (size_t)(offset - begin));
	digest_update(&stage->hash, bytes);
	stage->hashed_bytes += (int64_t)bytes.len;
	db_reset(st);
	return bytes.len > 0 || fail_lost(part->blob_pk, offset, err);
}

bool blob_stage_hash_parts(struct blob_stage *stage, struct db *blobs,
			   const struct blob_part_list *parts, int64_t bytes_max, bool *is_done_out,
			   struct error *err)
{
	int64_t end = stage->hashed_bytes + bytes_max, begin = 0;
	size_t i = 0;
	while (i < parts->count && stage->hashed_bytes < end) {
		int64_t offset = stage->hashed_bytes - begin;
		if (offset >= parts->items[i].size)
			begin += parts->items[i++].size;
		else if (!hash_chunk(stage, blobs, &parts->items[i], offset, err))
			return false;
	}
	*is_done_out = i == parts->count;
	return true;
}

/* The part's row; of a part that has parts itself, theirs. */
static bool insert_part(struct db *blobs, int64_t blob_pk, int64_t begin, int64_t part_pk,
			struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs,
		SQL("INSERT INTO blob_parts (blob_pk, begin_offset, part_pk)"
		    " SELECT $1, $2 + begin_offset, part_pk FROM blob_parts WHERE blob_pk = $3"
		    " UNION ALL SELECT $1, $2, $3"
		    " WHERE NOT EXISTS (SELECT 1 FROM blob_parts WHERE blob_pk = $3)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	db_bind_i64(st, 2, begin);
	db_bind_i64(st, 3, part_pk);
	return db_run(st, err);
}

bool blob_stage_finish_parts_in_txn(struct blob_stage *stage, struct db *blobs,
				    const struct blob_part_list *parts, struct error *err)
{
	int64_t begin = 0;
	bool found;
	if (!blob_stage_check(stage, NULL, err) || !find_older(stage, blobs, &found, err))
		return false;
	if (found)
		return true;
	if (!create_row(stage, blobs, err))
		return false;
	for (size_t i = 0; i < parts->count; i++) {
		if (!insert_part(blobs, stage->staged_pk, begin, parts->items[i].blob_pk, err))
			return false;
		begin += parts->items[i].size;
	}
	ASSERT(begin == stage->size);
	stage->blob_pk = stage->staged_pk;
	return give_name(stage, blobs, err);
}

/* ---- sweeping ----------------------------------------------------------------------------------- */

bool blobs_list(struct db *blobs, int64_t after_pk, int64_t *pks, size_t count_max,
		size_t *count_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs,
		SQL("SELECT blob_pk FROM blobs WHERE blob_pk > $1 ORDER BY blob_pk LIMIT $2"), err);
	size_t count = 0;
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, after_pk);
	db_bind_i64(st, 2, (int64_t)count_max);
	while ((row = db_step(st, err)) == DB_ROW)
		pks[count++] = db_column_i64(st, 0);
	if (row == DB_FAILED)
		return false;
	*count_out = count;
	return true;
}

bool blobs_unname_in_txn(struct db *blobs, int64_t blob_pk, bool *had_name_out,
			 unsigned char name[SHA256_BYTES], struct error *err)
{
	struct db_statement *st =
		db_prepare(blobs, SQL("SELECT sha256 FROM blobs WHERE blob_pk = $1"), err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	if (!db_fetch_one(st, &found, err))
		return false;
	*had_name_out = found && !db_column_is_null(st, 0);
	if (*had_name_out)
		memcpy(name, db_column_blob(st, 0).ptr, SHA256_BYTES);
	db_reset(st);
	if (!*had_name_out)
		return true;
	st = db_prepare(blobs, SQL("UPDATE blobs SET sha256 = NULL WHERE blob_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	return db_run(st, err);
}

bool blobs_rename_in_txn(struct db *blobs, int64_t blob_pk, const unsigned char name[SHA256_BYTES],
			 struct error *err)
{
	int64_t other_pk;
	if (!find_by_name(blobs, name, &other_pk, err))
		return false;
	if (other_pk != 0)
		return true;
	struct db_statement *st =
		db_prepare(blobs, SQL("UPDATE blobs SET sha256 = $1 WHERE blob_pk = $2"), err);
	if (st == NULL)
		return false;
	db_bind_blob(st, 1, digest_slice(name));
	db_bind_i64(st, 2, blob_pk);
	return db_run(st, err);
}

bool blobs_is_part(struct db *blobs, int64_t blob_pk, bool *is_part_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(blobs, SQL("SELECT 1 FROM blob_parts WHERE part_pk = $1 LIMIT 1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	if (!db_fetch_one(st, is_part_out, err))
		return false;
	db_reset(st);
	return true;
}

bool blobs_release_parts_in_txn(struct db *blobs, int64_t blob_pk,
				void (*part_cb)(int64_t part_pk, void *ctx), void *ctx,
				struct error *err)
{
	struct db_statement *st = db_prepare(
		blobs, SQL("DELETE FROM blob_parts WHERE blob_pk = $1 RETURNING part_pk"), err);
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	while ((row = db_step(st, err)) == DB_ROW)
		part_cb(db_column_i64(st, 0), ctx);
	return row == DB_DONE;
}

bool blobs_delete_step_in_txn(struct db *blobs, int64_t blob_pk, int64_t *chunk_budget,
			      bool *is_gone_out, struct error *err)
{
	struct db_statement *st = db_prepare(blobs,
					     SQL("DELETE FROM blob_chunks WHERE (blob_pk, seq) IN "
						 "(SELECT blob_pk, seq FROM blob_chunks WHERE "
						 "blob_pk = $1 ORDER BY seq LIMIT $2)"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	db_bind_i64(st, 2, *chunk_budget);
	if (!db_run(st, err))
		return false;
	int64_t deleted = db_changes(blobs);
	bool is_gone = deleted < *chunk_budget;
	*chunk_budget -= deleted;
	if (is_gone) {
		st = db_prepare(blobs, SQL("DELETE FROM blobs WHERE blob_pk = $1"), err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, blob_pk);
		if (!db_run(st, err))
			return false;
	}
	*is_gone_out = is_gone;
	return true;
}
