/* Owns the two sources of downloads: a file's range, and an archive that is written as it is sent. */
#include "artifacts/download.h"

#include <stdlib.h>

#include "artifacts/artifact_path.h"
#include "artifacts/blobs.h"

struct download {
	/* A file: the range that is left. Without an output. */
	int64_t blob_pk;
	int64_t offset;
	int64_t left_bytes;
	/* An archive: the next file, and how far into it. */
	struct tar_output *output_or_null;
	struct artifact_file_list files;
	size_t index;
	bool in_file;
	int64_t file_bytes;
	struct blob_reader reader;
};

static bool step_file(struct download *d, struct db *blobs, struct buffer *piece, bool *is_end_out,
		      struct error *err);
static bool step_archive(struct download *d, struct db *blobs, struct buffer *piece,
			 bool *is_end_out, struct error *err);

static struct download *new_download(struct error *err)
{
	struct download *d = calloc(1, sizeof(*d));
	if (d == NULL)
		(void)error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
	else
		blob_reader_init(&d->reader);
	return d;
}

bool download_file_new(const struct artifact_file *file, int64_t offset, int64_t length,
		       struct download **out, struct error *err)
{
	struct download *d = new_download(err);
	ASSERT(offset >= 0 && length >= 0 && offset <= file->size && length <= file->size - offset);
	if (d == NULL)
		return false;
	d->blob_pk = file->blob_pk;
	d->offset = file->blob_offset + offset;
	d->left_bytes = length;
	*out = d;
	return true;
}

bool download_archive_new(enum tar_output_format format, const struct artifact_file_list *files,
			  struct download **out, struct error *err)
{
	struct download *d = new_download(err);
	if (d == NULL)
		return false;
	if (!tar_output_new(format, &d->output_or_null, err)) {
		download_free(d);
		return false;
	}
	d->files = *files;
	*out = d;
	return true;
}

void download_free(struct download *download_or_null)
{
	if (download_or_null == NULL)
		return;
	tar_output_free(download_or_null->output_or_null);
	blob_reader_deinit(&download_or_null->reader);
	free(download_or_null);
}

bool download_step(struct download *download, struct db *blobs, struct buffer *piece,
		   bool *is_end_out, struct error *err)
{
	return download->output_or_null == NULL
		       ? step_file(download, blobs, piece, is_end_out, err)
		       : step_archive(download, blobs, piece, is_end_out, err);
}

/* One chunk at most, so that pieces are cut where chunks are. */
static bool step_file(struct download *d, struct db *blobs, struct buffer *piece, bool *is_end_out,
		      struct error *err)
{
	size_t before = piece->len;
	if (d->left_bytes > 0) {
		int64_t bytes_max =
			d->left_bytes < DOWNLOAD_PIECE_BYTES ? d->left_bytes : DOWNLOAD_PIECE_BYTES;
		if (!blobs_read(blobs, d->blob_pk, d->offset, (size_t)bytes_max, piece, err))
			return false;
		d->offset += (int64_t)(piece->len - before);
		d->left_bytes -= (int64_t)(piece->len - before);
	}
	*is_end_out = d->left_bytes == 0;
	return true;
}

/* How much of `path`, up to a '/', is also the directory of `previous` or of one of its ancestors. */
static size_t shared_directory_len(struct slice path, struct slice previous)
{
	size_t shared = 0;
	for (size_t i = 0; i < path.len && i < previous.len && path.ptr[i] == previous.ptr[i];
	     i++) {
		if (path.ptr[i] == '/')
			shared = i + 1;
	}
	return shared;
}

/* Directories that the file is in and the one before it was not. */
static bool write_directories(struct download *d, struct slice path, struct error *err)
{
	struct slice previous = d->index == 0 ? SLICE("") : d->files.items[d->index - 1].path;
	size_t slash = slice_find_byte(path, '/', shared_directory_len(path, previous));
	for (; slash < path.len; slash = slice_find_byte(path, '/', slash + 1)) {
		if (!tar_output_directory(d->output_or_null, slice_first(path, slash), err))
			return false;
	}
	return true;
}

static bool begin_file(struct download *d, struct error *err)
{
	const struct artifact_file *file = &d->files.items[d->index];
	d->in_file = true;
	d->file_bytes = 0;
	return write_directories(d, file->path, err) &&
	       tar_output_file(d->output_or_null, file->path, file->size, err);
}

/* Writes some content of the file; *budget counts it. */
static bool continue_file(struct download *d, struct db *blobs, int64_t *budget, struct error *err)
{
	const struct artifact_file *file = &d->files.items[d->index];
	int64_t left = file->size - d->file_bytes;
	struct slice bytes;
	if (left == 0) {
		d->in_file = false;
		d->index++;
		return true;
	}
	if (!blob_reader_at(&d->reader, blobs, file->blob_pk, file->blob_offset + d->file_bytes,
			    &bytes, err))
		return false;
	bytes = slice_first(bytes,
			    left < DOWNLOAD_WRITE_BYTES ? (size_t)left : DOWNLOAD_WRITE_BYTES);
	d->file_bytes += (int64_t)bytes.len;
	*budget -= (int64_t)bytes.len;
	return tar_output_data(d->output_or_null, bytes, err);
}

static bool step_archive(struct download *d, struct db *blobs, struct buffer *piece,
			 bool *is_end_out, struct error *err)
{
	int64_t budget = DOWNLOAD_STEP_BYTES;
	size_t index_max = d->index + DOWNLOAD_STEP_MEMBERS;
	bool is_end = false;
	tar_output_to(d->output_or_null, piece);
	while (piece->len < DOWNLOAD_PIECE_BYTES && budget > 0 && d->index < index_max && !is_end) {
		bool ok;
		if (d->index == d->files.count) {
			is_end = true;
			ok = tar_output_finish(d->output_or_null, err);
		} else if (d->in_file) {
			ok = continue_file(d, blobs, &budget, err);
		} else {
			ok = begin_file(d, err);
		}
		if (!ok)
			return false;
	}
	*is_end_out = is_end;
	return true;
}
