/* Owns the reading of uploaded archives with libarchive, and every rule about what may be in one. */
#include "artifacts/tar_index.h"

#include <errno.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "artifacts/artifact_path.h"
#include "artifacts/blobs.h"
#include "artifacts/tar_locale.h"
#include "limits.h"

enum { TAR_BLOCK_BYTES = 512 };

struct tar_index {
	/* The archive's bytes. */
	struct blob_reader reader;
	int64_t blob_pk;
	int64_t size;
	int64_t read_bytes;
	struct db *blobs_or_null; /* of the step under way */
	struct error read_error;  /* why the last read failed; ERR_NONE if it did not */
	const atomic_bool *cancelled_or_null;

	struct archive *archive_or_null; /* NULL before the first step */
	bool is_compressed;

	/* The member under way. */
	bool in_member;
	bool is_directory;
	struct artifact_file file;
	int64_t member_bytes; /* of its content, so far */
	int64_t content_end;  /* position in the tar behind the last member's padding */
	struct digest hash;

	/* All members. */
	struct arena *arena;
	struct artifact_file_list files;
	size_t file_capacity;
	int64_t member_count;
	int64_t total_bytes; /* of content, as the headers say */
	int64_t packed_bytes;
};

/* ---- life --------------------------------------------------------------------------------------- */

bool tar_index_new(int64_t blob_pk, int64_t size, struct arena *arena,
		   const atomic_bool *cancelled_or_null, struct tar_index **out, struct error *err)
{
	struct tar_index *index = calloc(1, sizeof(*index));
	if (index == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server is out of memory; try again.");
	if (!digest_init(&index->hash, err)) {
		free(index);
		return false;
	}
	blob_reader_init(&index->reader);
	index->blob_pk = blob_pk;
	index->size = size;
	index->arena = arena;
	index->cancelled_or_null = cancelled_or_null;
	*out = index;
	return true;
}

void tar_index_free(struct tar_index *index_or_null)
{
	if (index_or_null == NULL)
		return;
	(void)archive_read_free(
		index_or_null->archive_or_null); /* nothing is lost when closing fails */
	digest_deinit(&index_or_null->hash);
	blob_reader_deinit(&index_or_null->reader);
	free(index_or_null);
}

bool tar_index_is_compressed(const struct tar_index *index)
{
	return index->is_compressed;
}

struct artifact_file_list tar_index_files(const struct tar_index *index)
{
	return index->files;
}

/* ---- reading the blob --------------------------------------------------------------------------- */

static la_ssize_t read_cb(struct archive *archive, void *context, const void **bytes_out)
{
	struct tar_index *index = context;
	struct slice bytes;
	if (index->read_bytes >= index->size)
		return 0;
	if (index->cancelled_or_null != NULL && atomic_load(index->cancelled_or_null)) {
		(void)error_set(&index->read_error, ERR_CANCELLED, "The client went away.");
		archive_set_error(archive, ECANCELED, "cancelled");
		return -1;
	}
	if (!blob_reader_at(&index->reader, index->blobs_or_null, index->blob_pk, index->read_bytes,
			    &bytes, &index->read_error)) {
		archive_set_error(archive, EIO, "read failed");
		return -1;
	}
	bytes = slice_first(bytes, (size_t)(index->size - index->read_bytes));
	index->read_bytes += (int64_t)bytes.len;
	*bytes_out = bytes.ptr;
	return (la_ssize_t)bytes.len;
}

/* The database's own error, or what libarchive says about the archive. */
static bool fail_archive(struct tar_index *index, struct error *err)
{
	char quoted[200];
	if (index->read_error.code != ERR_NONE) {
		*err = index->read_error;
		return false;
	}
	const char *reason = archive_error_string(index->archive_or_null);
	return error_set(err, ERR_INVALID_PARAMETER_VALUE, "The archive cannot be read: %s.",
			 error_quote(slice_from_cstr(reason == NULL ? "it is damaged" : reason),
				     quoted, sizeof(quoted)));
}

/* gzip or zstd (also its skippable frames), by the first bytes; none for anything else. */
static int filter_of(struct slice head)
{
	const unsigned char *b = (const unsigned char *)head.ptr;
	if (head.len >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return ARCHIVE_FILTER_GZIP;
	if (head.len >= 4 &&
	    ((b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f && b[3] == 0xfd) ||
	     ((b[0] & 0xf0) == 0x50 && b[1] == 0x2a && b[2] == 0x4d && b[3] == 0x18)))
		return ARCHIVE_FILTER_ZSTD;
	return ARCHIVE_FILTER_NONE;
}

/* Exactly one filter is set by hand: libarchive's own detection would unpack layers upon layers. */
static bool open_archive(struct tar_index *index, struct error *err)
{
	struct slice head = {0};
	if (index->size > 0 &&
	    !blob_reader_at(&index->reader, index->blobs_or_null, index->blob_pk, 0, &head, err))
		return false;
	struct archive *archive = archive_read_new();
	if (archive == NULL)
		return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
				 "The server is out of memory; try again.");
	index->archive_or_null = archive;
	int filter = filter_of(slice_first(head, (size_t)index->size));
	index->is_compressed = filter != ARCHIVE_FILTER_NONE;
	if (archive_read_support_format_tar(archive) != ARCHIVE_OK ||
	    (index->is_compressed && archive_read_append_filter(archive, filter) != ARCHIVE_OK) ||
	    archive_read_open(archive, index, NULL, read_cb, NULL) != ARCHIVE_OK)
		return fail_archive(index, err);
	return true;
}

/* ---- rules -------------------------------------------------------------------------------------- */

static bool fail_member(struct archive_entry *entry, struct error *err, const char *what)
{
	char quoted[128];
	const char *name = archive_entry_pathname(entry);
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE, "The archive's member '%s' %s.",
		error_quote(slice_from_cstr(name == NULL ? "" : name), quoted, sizeof(quoted)),
		what);
}

static bool check_kind(struct archive_entry *entry, struct error *err)
{
	__LA_MODE_T type = archive_entry_filetype(entry);
	if (archive_entry_hardlink(entry) != NULL)
		return fail_member(
			entry, err,
			"is a hard link; only regular files and directories are accepted");
	if (type == AE_IFLNK)
		return fail_member(
			entry, err,
			"is a symbolic link; only regular files and directories are accepted");
	if (type != AE_IFREG && type != AE_IFDIR)
		return fail_member(
			entry, err,
			"is a device or pipe; only regular files and directories are accepted");
	if (archive_entry_sparse_count(entry) > 0)
		return fail_member(entry, err, "is sparse; pack it without --sparse");
	if (archive_entry_size(entry) < 0)
		return fail_member(entry, err, "has a negative size");
	return true;
}

static bool check_sizes(struct tar_index *index, int64_t size, struct error *err)
{
	if (++index->member_count > ARCHIVE_MEMBERS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The archive has more than %d members.", ARCHIVE_MEMBERS_MAX);
	if (size > ARCHIVE_BYTES_MAX - index->total_bytes)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The archive's files are larger than %lld GiB together.",
				 (long long)(ARCHIVE_BYTES_MAX >> 30));
	index->total_bytes += size;
	if (!index->is_compressed || index->total_bytes <= TAR_INDEX_FREE_EXPANSION_BYTES)
		return true;
	if (index->total_bytes / ARCHIVE_EXPANSION_RATIO_MAX >= index->size)
		return error_set(
			err, ERR_INVALID_PARAMETER_VALUE,
			"The archive of %lld bytes unpacks to more than %d times its size.",
			(long long)index->size, ARCHIVE_EXPANSION_RATIO_MAX);
	return true;
}

static bool check_path(struct tar_index *index, struct archive_entry *entry, struct error *err)
{
	const char *name = archive_entry_pathname(entry);
	if (name == NULL || name[0] == '\0')
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The archive has a member without a name.");
	if (!artifact_path_parse_member(slice_from_cstr(name), index->arena, &index->file.path,
					err))
		return false;
	if (index->file.path.len == 0 && !index->is_directory)
		return fail_member(entry, err, "is a file without a name");
	return true;
}

/* ---- members ------------------------------------------------------------------------------------ */

static bool begin_member(struct tar_index *index, struct archive_entry *entry, struct error *err)
{
	if (!check_kind(entry, err))
		return false;
	index->is_directory = archive_entry_filetype(entry) == AE_IFDIR;
	index->file =
		(struct artifact_file){.size = index->is_directory ? 0 : archive_entry_size(entry)};
	if (!check_path(index, entry, err) || !check_sizes(index, index->file.size, err))
		return false;
	/* Right after the header the reader stands on the first byte of the content. */
	int64_t position = archive_filter_bytes(index->archive_or_null, 0);
	int64_t blocks = (index->file.size + TAR_BLOCK_BYTES - 1) / TAR_BLOCK_BYTES;
	index->content_end = position + blocks * TAR_BLOCK_BYTES;
	index->file.blob_offset = index->is_compressed ? index->packed_bytes : position;
	index->member_bytes = 0;
	index->in_member = true;
	digest_restart(&index->hash);
	return true;
}

/* The archive ended: with its mark of two empty blocks, or because it was cut off? */
static bool check_end(const struct tar_index *index, struct error *err)
{
	if (archive_filter_bytes(index->archive_or_null, 0) >= index->content_end + TAR_BLOCK_BYTES)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "The archive is cut off: its end-of-archive mark is missing.");
}

static bool next_member(struct tar_index *index, bool *is_end_out, struct error *err)
{
	struct archive_entry *entry;
	int result = archive_read_next_header(index->archive_or_null, &entry);
	*is_end_out = result == ARCHIVE_EOF;
	if (result == ARCHIVE_EOF)
		return check_end(index, err);
	/* A warning is a name that is no text, or an attribute that is damaged: we would store
	 * something else than what was meant. */
	if (result != ARCHIVE_OK)
		return fail_archive(index, err);
	return begin_member(index, entry, err);
}

static void add_file(struct tar_index *index)
{
	if (index->files.count == index->file_capacity) {
		size_t capacity = index->file_capacity == 0 ? 64 : index->file_capacity * 2;
		struct artifact_file *bigger =
			ARENA_NEW(index->arena, struct artifact_file, capacity);
		if (index->files.count > 0)
			memcpy(bigger, index->files.items, index->files.count * sizeof(*bigger));
		index->files.items = bigger;
		index->file_capacity = capacity;
	}
	index->files.items[index->files.count++] = index->file;
}

static bool end_member(struct tar_index *index, struct error *err)
{
	char quoted[128];
	if (index->member_bytes != index->file.size && !index->is_directory)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The archive's member '%s' has %lld bytes instead of %lld.",
				 error_quote(index->file.path, quoted, sizeof(quoted)),
				 (long long)index->member_bytes, (long long)index->file.size);
	index->in_member = false;
	if (index->is_directory)
		return true;
	digest_value(&index->hash, index->file.sha256);
	if (index->is_compressed)
		index->packed_bytes += index->file.size;
	add_file(index);
	return true;
}

/* Reads the next block of the member's content; *bytes_out is how many. */
static bool read_member(struct tar_index *index, struct buffer *pack, size_t *bytes_out,
			struct error *err)
{
	const void *bytes;
	size_t len;
	la_int64_t offset;
	*bytes_out = 0;
	int result = archive_read_data_block(index->archive_or_null, &bytes, &len, &offset);
	if (result == ARCHIVE_EOF)
		return end_member(index, err);
	if (result != ARCHIVE_OK)
		return fail_archive(index, err);
	if (index->is_directory)
		return true; /* some archivers write one; it means nothing */
	if (offset != index->member_bytes || (int64_t)len > index->file.size - index->member_bytes)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "The archive has a sparse member.");
	struct slice block = slice_make(bytes, len);
	digest_update(&index->hash, block);
	index->member_bytes += (int64_t)len;
	if (index->is_compressed)
		buffer_append(pack, block);
	*bytes_out = len;
	return buffer_check(pack, "The archive", err);
}

/* ---- steps -------------------------------------------------------------------------------------- */

static bool check_no_path_twice(const struct artifact_file_list *files, struct error *err)
{
	char quoted[128];
	for (size_t i = 1; i < files->count; i++) {
		if (slice_eq(files->items[i - 1].path, files->items[i].path))
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "The archive has two members named '%s'.",
					 error_quote(files->items[i].path, quoted, sizeof(quoted)));
	}
	return true;
}

static bool step(struct tar_index *index, struct buffer *pack, bool *is_end_out, struct error *err)
{
	size_t budget = 0, bytes;
	int64_t members_max = index->member_count + TAR_INDEX_STEP_MEMBERS;
	bool is_end = false;
	if (index->archive_or_null == NULL && !open_archive(index, err))
		return false;
	budget = index->is_compressed ? TAR_INDEX_PACK_BYTES : TAR_INDEX_STEP_BYTES;
	while (budget > 0 && index->member_count < members_max && !is_end) {
		if (!index->in_member) {
			if (!next_member(index, &is_end, err))
				return false;
			continue;
		}
		if (!read_member(index, pack, &bytes, err))
			return false;
		budget -= bytes < budget ? bytes : budget;
	}
	if (is_end) {
		artifact_tree_sort(&index->files);
		if (!check_no_path_twice(&index->files, err))
			return false;
	}
	*is_end_out = is_end;
	return true;
}

bool tar_index_step(struct tar_index *index, struct db *blobs, struct buffer *pack,
		    bool *is_end_out, struct error *err)
{
	locale_t previous = tar_locale_enter();
	index->blobs_or_null = blobs;
	bool ok = step(index, pack, is_end_out, err);
	index->blobs_or_null = NULL;
	tar_locale_leave(previous);
	return ok;
}
