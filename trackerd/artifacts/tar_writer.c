/* Owns the writing of reproducible archives with libarchive. */
#include "artifacts/tar_writer.h"

#include <errno.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "artifacts/tar_locale.h"
#include "base/log.h"
#include "limits.h"

struct tar_writer {
	struct archive *archive;
	struct archive_entry *entry;
	struct buffer *out;
	bool is_zip;
};

static const struct tar_writer_format_info formats[] = {
	[TAR_WRITER_TAR] = {"tar", "application/x-tar"},
	[TAR_WRITER_TAR_GZ] = {"tar.gz", "application/gzip"},
	[TAR_WRITER_TAR_ZST] = {"tar.zst", "application/zstd"},
	[TAR_WRITER_ZIP] = {"zip", "application/zip"},
};

static bool open_archive(struct tar_writer *writer, enum tar_writer_format format);
static bool write_header(struct tar_writer *writer, const char *path, int64_t size, bool is_directory,
			 struct error *err);

const struct tar_writer_format_info *tar_writer_format_info(enum tar_writer_format format)
{
	return &formats[format];
}

bool tar_writer_format_parse(struct slice name, enum tar_writer_format *out, struct error *err)
{
	char quoted[64];
	if (name.len == 0) {
		*out = TAR_WRITER_TAR;
		return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
		if (slice_eq_cstr(name, formats[i].name)) {
			*out = (enum tar_writer_format)i;
			return true;
		}
	}
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Invalid value '%s' for parameter 'format': expected tar, tar.gz, tar.zst or zip.",
			 error_quote(name, quoted, sizeof(quoted)));
}

bool tar_writer_new(enum tar_writer_format format, struct tar_writer **out, struct error *err)
{
	struct tar_writer *writer = calloc(1, sizeof(*writer));
	if (writer == NULL)
		goto out_of_memory;
	writer->is_zip = format == TAR_WRITER_ZIP;
	writer->archive = archive_write_new();
	writer->entry = archive_entry_new();
	if (writer->archive == NULL || writer->entry == NULL || !open_archive(writer, format))
		goto out_of_memory;
	*out = writer;
	return true;

out_of_memory:
	tar_writer_free(writer);
	return error_set(err, ERR_TEMPORARILY_UNAVAILABLE, "The server is out of memory; try again.");
}

void tar_writer_free(struct tar_writer *writer_or_null)
{
	if (writer_or_null == NULL)
		return;
	/* Closing an unfinished archive writes its end, to nowhere. Failing there instead would make libarchive leak. */
	writer_or_null->out = NULL;
	if (writer_or_null->archive != NULL)
		(void)archive_write_free(writer_or_null->archive);
	archive_entry_free(writer_or_null->entry);
	free(writer_or_null);
}

void tar_writer_output(struct tar_writer *writer, struct buffer *out)
{
	writer->out = out;
}

bool tar_writer_file(struct tar_writer *writer, struct slice path, int64_t size, struct error *err)
{
	char text[ARTIFACT_PATH_BYTES_MAX + 1];
	ASSERT(path.len < sizeof(text));
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	return write_header(writer, text, size, false, err);
}

bool tar_writer_directory(struct tar_writer *writer, struct slice path, struct error *err)
{
	char text[ARTIFACT_PATH_BYTES_MAX + 2];
	ASSERT(path.len < sizeof(text) - 1);
	memcpy(text, path.ptr, path.len);
	text[path.len] = '/';
	text[path.len + 1] = '\0';
	return write_header(writer, text, 0, true, err);
}

static la_ssize_t write_cb(struct archive *archive, void *context, const void *bytes, size_t len)
{
	struct tar_writer *writer = context;
	if (writer->out == NULL)
		return (la_ssize_t)len;
	buffer_append(writer->out, slice_make(bytes, len));
	if (writer->out->failed) {
		archive_set_error(archive, ENOSPC, "no room for the output");
		return -1;
	}
	return (la_ssize_t)len;
}

static bool set_up_format(struct archive *archive, enum tar_writer_format format)
{
	int result = ARCHIVE_FATAL;
	switch (format) {
	case TAR_WRITER_TAR:
		return archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK;
	case TAR_WRITER_TAR_GZ:
		result = archive_write_set_format_pax_restricted(archive) | archive_write_add_filter_gzip(archive) |
			 archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
		break;
	case TAR_WRITER_TAR_ZST:
		result = archive_write_set_format_pax_restricted(archive) | archive_write_add_filter_zstd(archive) |
			 archive_write_set_filter_option(archive, "zstd", "compression-level", "3");
		break;
	case TAR_WRITER_ZIP:
		result = archive_write_set_format_zip(archive) |
			 archive_write_set_format_option(archive, "zip", "compression", "deflate");
		break;
	}
	return result == ARCHIVE_OK;
}

static bool open_archive(struct tar_writer *writer, enum tar_writer_format format)
{
	struct archive *archive = writer->archive;
	return set_up_format(archive, format) && archive_write_set_bytes_per_block(archive, 0) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	       archive_write_open(archive, writer, NULL, write_cb, NULL) == ARCHIVE_OK;
}

static bool fail(struct tar_writer *writer, struct error *err)
{
	char quoted[200];
	const char *reason = archive_error_string(writer->archive);
	log_event(LOG_ERROR, "archive_not_written", "reason=%s",
		  log_quote(slice_from_cstr(reason == NULL ? "unknown" : reason), quoted, sizeof(quoted)));
	return error_set(err, ERR_INTERNAL_ERROR, "The archive could not be written.");
}

static bool write_header(struct tar_writer *writer, const char *path, int64_t size, bool is_directory,
			 struct error *err)
{
	struct archive_entry *entry = archive_entry_clear(writer->entry);
	archive_entry_copy_pathname(entry, path);
	archive_entry_set_filetype(entry, is_directory ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(entry, is_directory ? 0755 : 0644);
	archive_entry_set_size(entry, size);
	if (!writer->is_zip) /* without one, zip says 1980-01-01 in every time zone */
		archive_entry_set_mtime(entry, 0, 0);
	locale_t previous = tar_locale_enter();
	int result = archive_write_header(writer->archive, entry);
	tar_locale_leave(previous);
	return result == ARCHIVE_OK || fail(writer, err);
}

bool tar_writer_data(struct tar_writer *writer, struct slice bytes, struct error *err)
{
	la_ssize_t written = archive_write_data(writer->archive, bytes.ptr, bytes.len);
	return (written >= 0 && (size_t)written == bytes.len) || fail(writer, err);
}

bool tar_writer_finish(struct tar_writer *writer, struct error *err)
{
	locale_t previous = tar_locale_enter();
	int result = archive_write_close(writer->archive);
	tar_locale_leave(previous);
	return result == ARCHIVE_OK || fail(writer, err);
}
