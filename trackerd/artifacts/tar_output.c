/* Owns the writing of reproducible archives with libarchive. */
#include "artifacts/tar_output.h"

#include <errno.h>
#include <stdlib.h>

#include <archive.h>
#include <archive_entry.h>

#include "artifacts/tar_locale.h"
#include "base/log.h"
#include "limits.h"

struct tar_output {
	struct archive *archive;
	struct archive_entry *entry;
	struct buffer *out;
	bool is_zip;
};

static const struct tar_output_format_info formats[] = {
	[TAR_OUTPUT_TAR] = {"tar", "application/x-tar"},
	[TAR_OUTPUT_TAR_GZ] = {"tar.gz", "application/gzip"},
	[TAR_OUTPUT_TAR_ZST] = {"tar.zst", "application/zstd"},
	[TAR_OUTPUT_ZIP] = {"zip", "application/zip"},
};

static bool open_archive(struct tar_output *output, enum tar_output_format format);
static bool write_header(struct tar_output *output, const char *path, int64_t size,
			 bool is_directory, struct error *err);

const struct tar_output_format_info *tar_output_format_info(enum tar_output_format format)
{
	return &formats[format];
}

bool tar_output_format_parse(struct slice name, enum tar_output_format *out, struct error *err)
{
	char quoted[64];
	if (name.len == 0) {
		*out = TAR_OUTPUT_TAR;
		return true;
	}
	for (size_t i = 0; i < ARRAY_COUNT(formats); i++) {
		if (slice_eq_cstr(name, formats[i].name)) {
			*out = (enum tar_output_format)i;
			return true;
		}
	}
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Invalid value '%s' for parameter 'format': expected tar, tar.gz, tar.zst or zip.",
		error_quote(name, quoted, sizeof(quoted)));
}

bool tar_output_new(enum tar_output_format format, struct tar_output **out, struct error *err)
{
	struct tar_output *output = calloc(1, sizeof(*output));
	if (output == NULL)
		goto out_of_memory;
	output->is_zip = format == TAR_OUTPUT_ZIP;
	output->archive = archive_write_new();
	output->entry = archive_entry_new();
	if (output->archive == NULL || output->entry == NULL || !open_archive(output, format))
		goto out_of_memory;
	*out = output;
	return true;

out_of_memory:
	tar_output_free(output);
	return error_set(err, ERR_TEMPORARILY_UNAVAILABLE,
			 "The server is out of memory; try again.");
}

void tar_output_free(struct tar_output *output_or_null)
{
	if (output_or_null == NULL)
		return;
	/* Closing an unfinished archive writes its end, to nowhere. Failing there instead would
	 * make libarchive leak. */
	output_or_null->out = NULL;
	if (output_or_null->archive != NULL)
		(void)archive_write_free(output_or_null->archive);
	archive_entry_free(output_or_null->entry);
	free(output_or_null);
}

void tar_output_to(struct tar_output *output, struct buffer *out)
{
	output->out = out;
}

bool tar_output_file(struct tar_output *output, struct slice path, int64_t size, struct error *err)
{
	char text[ARTIFACT_PATH_BYTES_MAX + 1];
	ASSERT(path.len < sizeof(text));
	memcpy(text, path.ptr, path.len);
	text[path.len] = '\0';
	return write_header(output, text, size, false, err);
}

bool tar_output_directory(struct tar_output *output, struct slice path, struct error *err)
{
	char text[ARTIFACT_PATH_BYTES_MAX + 2];
	ASSERT(path.len < sizeof(text) - 1);
	memcpy(text, path.ptr, path.len);
	text[path.len] = '/';
	text[path.len + 1] = '\0';
	return write_header(output, text, 0, true, err);
}

static la_ssize_t write_cb(struct archive *archive, void *context, const void *bytes, size_t len)
{
	struct tar_output *output = context;
	if (output->out == NULL)
		return (la_ssize_t)len;
	buffer_append(output->out, slice_make(bytes, len));
	if (output->out->failed) {
		archive_set_error(archive, ENOSPC, "no room for the output");
		return -1;
	}
	return (la_ssize_t)len;
}

static bool set_up_format(struct archive *archive, enum tar_output_format format)
{
	int result = ARCHIVE_FATAL;
	switch (format) {
	case TAR_OUTPUT_TAR:
		return archive_write_set_format_pax_restricted(archive) == ARCHIVE_OK;
	case TAR_OUTPUT_TAR_GZ:
		result = archive_write_set_format_pax_restricted(archive) |
			 archive_write_add_filter_gzip(archive) |
			 archive_write_set_filter_option(archive, "gzip", "timestamp", NULL);
		break;
	case TAR_OUTPUT_TAR_ZST:
		result = archive_write_set_format_pax_restricted(archive) |
			 archive_write_add_filter_zstd(archive) |
			 archive_write_set_filter_option(archive, "zstd", "compression-level", "3");
		break;
	case TAR_OUTPUT_ZIP:
		result = archive_write_set_format_zip(archive) |
			 archive_write_set_format_option(archive, "zip", "compression", "deflate");
		break;
	}
	return result == ARCHIVE_OK;
}

static bool open_archive(struct tar_output *output, enum tar_output_format format)
{
	struct archive *archive = output->archive;
	return set_up_format(archive, format) &&
	       archive_write_set_bytes_per_block(archive, 0) == ARCHIVE_OK &&
	       archive_write_set_bytes_in_last_block(archive, 1) == ARCHIVE_OK &&
	       archive_write_open(archive, output, NULL, write_cb, NULL) == ARCHIVE_OK;
}

static bool fail(struct tar_output *output, struct error *err)
{
	char quoted[200];
	const char *reason = archive_error_string(output->archive);
	log_event(LOG_ERROR, "archive_not_written", "reason=%s",
		  log_quote(slice_from_cstr(reason == NULL ? "unknown" : reason), quoted,
			    sizeof(quoted)));
	return error_set(err, ERR_INTERNAL_ERROR, "The archive could not be written.");
}

static bool write_header(struct tar_output *output, const char *path, int64_t size,
			 bool is_directory, struct error *err)
{
	struct archive_entry *entry = archive_entry_clear(output->entry);
	archive_entry_copy_pathname(entry, path);
	archive_entry_set_filetype(entry, is_directory ? AE_IFDIR : AE_IFREG);
	archive_entry_set_perm(entry, is_directory ? 0755 : 0644);
	archive_entry_set_size(entry, size);
	if (!output->is_zip) /* without one, zip says 1980-01-01 in every time zone */
		archive_entry_set_mtime(entry, 0, 0);
	locale_t previous = tar_locale_enter();
	int result = archive_write_header(output->archive, entry);
	tar_locale_leave(previous);
	return result == ARCHIVE_OK || fail(output, err);
}

bool tar_output_data(struct tar_output *output, struct slice bytes, struct error *err)
{
	la_ssize_t written = archive_write_data(output->archive, bytes.ptr, bytes.len);
	return (written >= 0 && (size_t)written == bytes.len) || fail(output, err);
}

bool tar_output_finish(struct tar_output *output, struct error *err)
{
	locale_t previous = tar_locale_enter();
	int result = archive_write_close(output->archive);
	tar_locale_leave(previous);
	return result == ARCHIVE_OK || fail(output, err);
}
