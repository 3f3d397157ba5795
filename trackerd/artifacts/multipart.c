/* Owns the rows of uploads that come in parts: multipart_uploads and multipart_parts. */
#include "artifacts/multipart.h"

#include <inttypes.h>
#include <string.h>

static bool fail_unknown(struct error *err, struct slice upload_id)
{
	char quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "Multipart upload with id=%s not found. It may have been aborted, or have "
			 "expired.",
			 error_quote(upload_id, quoted, sizeof(quoted)));
}

/* ---- reading ------------------------------------------------------------------------------------ */

static bool find(struct db *tracker, struct slice upload_id, struct arena *arena, bool *found_out,
		 struct multipart_upload *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("SELECT upload_pk, path, part_count, is_complete, created_ms, touched_ms"
		    " FROM multipart_uploads WHERE upload_id = $1"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, upload_id);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out)
		*out = (struct multipart_upload){
			.upload_pk = db_column_i64(st, 0),
			.upload_id = upload_id,
			.path = db_column_copy(st, 1, arena),
			.part_count = db_column_i64(st, 2),
			.is_complete = db_column_i64(st, 3) != 0,
			.created_ms = db_column_i64(st, 4),
			.touched_ms = db_column_i64(st, 5),
		};
	db_reset(st);
	return true;
}

bool multipart_find(struct db *tracker, struct slice upload_id, struct arena *arena,
		    struct multipart_upload *out, struct error *err)
{
	bool found;
	return find(tracker, upload_id, arena, &found, out, err) &&
	       (found || fail_unknown(err, upload_id));
}

bool multipart_load_parts(struct db *tracker, const struct multipart_upload *upload,
			  struct arena *arena, struct multipart_part_list *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT part_number, blob_pk, size, sha256 FROM multipart_parts"
			       " WHERE upload_pk = $1 ORDER BY part_number"),
			   err);
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, upload->upload_pk);
	out->items = ARENA_NEW(arena, struct multipart_part, (size_t)upload->part_count);
	out->count = 0;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct multipart_part *part = &out->items[out->count++];
		part->number = db_column_i64(st, 0);
		part->blob_pk = db_column_i64(st, 1);
		part->size = db_column_i64(st, 2);
		memcpy(part->sha256, db_column_blob(st, 3).ptr, SHA256_BYTES);
	}
	return row == DB_DONE;
}

bool multipart_refers_to(struct db *tracker, int64_t blob_pk, bool *refers_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker, SQL("SELECT 1 FROM multipart_parts WHERE blob_pk = $1 LIMIT 1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, blob_pk);
	if (!db_fetch_one(st, refers_out, err))
		return false;
	db_reset(st);
	return true;
}

/* ---- creating, and putting parts ---------------------------------------------------------------- */

bool multipart_create_in_txn(struct db *tracker, const struct multipart_upload *upload,
			     struct error *err)
{
	struct db_statement *st = db_prepare(tracker,
					     SQL("INSERT INTO multipart_uploads (upload_id, path, "
						 "part_count, created_ms, touched_ms)"
						 " VALUES ($1, $2, $3, $4, $4)"),
					     err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, upload->upload_id);
	db_bind_text(st, 2, upload->path);
	db_bind_i64(st, 3, upload->part_count);
	db_bind_i64(st, 4, upload->created_ms);
	return db_run(st, err);
}

/* Adds the blob of the part that this one replaces, if any. */
static bool release_old_part(struct db *tracker, int64_t upload_pk,
			     const struct multipart_part *part, struct arena *arena,
			     struct blob_pk_list *released, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT blob_pk FROM multipart_parts"
			       " WHERE upload_pk = $1 AND part_number = $2 AND blob_pk <> $3"),
			   err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, upload_pk);
	db_bind_i64(st, 2, part->number);
	db_bind_i64(st, 3, part->blob_pk);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		blob_pk_list_add(released, db_column_i64(st, 0), arena);
	db_reset(st);
	return true;
}

static bool upsert_part(struct db *tracker, int64_t upload_pk, const struct multipart_part *part,
			struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker,
		SQL("INSERT INTO multipart_parts (upload_pk, part_number, blob_pk, size, sha256)"
		    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (upload_pk, part_number) DO UPDATE"
		    " SET blob_pk = excluded.blob_pk, size = excluded.size, sha256 = "
		    "excluded.sha256"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, upload_pk);
	db_bind_i64(st, 2, part->number);
	db_bind_i64(st, 3, part->blob_pk);
	db_bind_i64(st, 4, part->size);
	db_bind_blob(st, 5, slice_make((const char *)part->sha256, SHA256_BYTES));
	return db_run(st, err);
}

static bool touch(struct db *tracker, int64_t upload_pk, bool is_complete, int64_t now_ms,
		  struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("UPDATE multipart_uploads SET is_complete = $1, touched_ms = $2"
			       " WHERE upload_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, is_complete);
	db_bind_i64(st, 2, now_ms);
	db_bind_i64(st, 3, upload_pk);
	return db_run(st, err);
}

bool multipart_put_part_in_txn(struct db *tracker, struct slice upload_id,
			       const struct multipart_part *part, int64_t now_ms,
			       struct arena *arena, struct blob_pk_list *released,
			       struct error *err)
{
	struct multipart_upload upload;
	if (!multipart_find(tracker, upload_id, arena, &upload, err))
		return false;
	if (upload.is_complete)
		return error_set(err, ERR_RESOURCE_CONFLICT,
				 "The multipart upload is complete: it takes no more parts.");
	if (part->number < 1 || part->number > upload.part_count)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The upload has the parts 1 to %" PRId64 ", no part %" PRId64 ".",
				 upload.part_count, part->number);
	return release_old_part(tracker, upload.upload_pk, part, arena, released, err) &&
	       upsert_part(tracker, upload.upload_pk, part, err) &&
	       touch(tracker, upload.upload_pk, false, now_ms, err);
}

/* ---- completing and giving up ------------------------------------------------------------------- */

static bool delete_parts(struct db *tracker, int64_t upload_pk, struct arena *arena,
			 struct blob_pk_list *released, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker, SQL("DELETE FROM multipart_parts WHERE upload_pk = $1 RETURNING blob_pk"),
		err);
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, upload_pk);
	while ((row = db_step(st, err)) == DB_ROW)
		blob_pk_list_add(released, db_column_i64(st, 0), arena);
	return row == DB_DONE;
}

static bool same_parts(const struct multipart_part_list *a, const struct multipart_part_list *b)
{
	for (size_t i = 0; a->count == b->count && i < a->count; i++) {
		if (a->items[i].number != b->items[i].number ||
		    a->items[i].blob_pk != b->items[i].blob_pk)
			return false;
	}
	return a->count == b->count;
}

bool multipart_complete_in_txn(struct db *tracker, struct slice upload_id,
			       const struct multipart_part_list *parts, struct artifact_file *file,
			       struct arena *arena, struct blob_pk_list *released,
			       bool *was_complete_out, struct error *err)
{
	struct multipart_upload upload;
	struct multipart_part_list now;
	struct artifact_file_list files = {file, 1};
	if (!multipart_find(tracker, upload_id, arena, &upload, err))
		return false;
	*was_complete_out = upload.is_complete;
	if (upload.is_complete)
		return true;
	if (!multipart_load_parts(tracker, &upload, arena, &now, err))
		return false;
	if (!same_parts(parts, &now))
		return error_set(
			err, ERR_RESOURCE_CONFLICT,
			"A part of the upload was sent again while it was being completed.");
	file->path = upload.path;
	return artifact_tree_put_in_txn(tracker, (struct slice){0}, &files, arena, released, err) &&
	       delete_parts(tracker, upload.upload_pk, arena, released, err) &&
	       touch(tracker, upload.upload_pk, true, file->modified_ms, err);
}

static bool forget(struct db *tracker, int64_t upload_pk, struct arena *arena,
		   struct blob_pk_list *released, struct error *err)
{
	if (!delete_parts(tracker, upload_pk, arena, released, err))
		return false;
	struct db_statement *st =
		db_prepare(tracker, SQL("DELETE FROM multipart_uploads WHERE upload_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, upload_pk);
	return db_run(st, err);
}

bool multipart_abort_in_txn(struct db *tracker, struct slice upload_id, struct arena *arena,
			    struct blob_pk_list *released, struct error *err)
{
	struct multipart_upload upload;
	bool found;
	return find(tracker, upload_id, arena, &found, &upload, err) &&
	       (!found || forget(tracker, upload.upload_pk, arena, released, err));
}

bool multipart_any_expired(struct db *tracker, int64_t before_ms, bool *any_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		tracker, SQL("SELECT 1 FROM multipart_uploads WHERE touched_ms < $1 LIMIT 1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, before_ms);
	if (!db_fetch_one(st, any_out, err))
		return false;
	db_reset(st);
	return true;
}

bool multipart_expire_in_txn(struct db *tracker, int64_t before_ms, struct arena *arena,
			     struct blob_pk_list *released, size_t *count_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker,
			   SQL("SELECT upload_pk FROM multipart_uploads WHERE touched_ms < $1"
			       " ORDER BY touched_ms LIMIT $2"),
			   err);
	int64_t upload_pks[MULTIPART_EXPIRED_MAX];
	size_t count = 0;
	enum db_row row;
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, before_ms);
	db_bind_i64(st, 2, MULTIPART_EXPIRED_MAX);
	while ((row = db_step(st, err)) == DB_ROW)
		upload_pks[count++] = db_column_i64(st, 0);
	if (row == DB_FAILED)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!forget(tracker, upload_pks[i], arena, released, err))
			return false;
	}
	*count_out = count;
	return true;
}
