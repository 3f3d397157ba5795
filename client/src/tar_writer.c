/* Owns the bytes of tarballs that the library sends. */
#include "src/tar_writer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/status.h"

enum {
	BLOCK_BYTES = 512,
	COPY_BYTES = 256 * 1024,
	NAME_BYTES = 100,
	END_BLOCKS = 2,
	/* Digits that the header's size field has room for; more goes into a pax record. */
	SIZE_DIGITS = 11,
};
static const int64_t SIZE_MAX_IN_HEADER = ((int64_t)1 << (3 * SIZE_DIGITS)) - 1;

/* The header's fields by offset: POSIX.1-1988 ustar. */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_TIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_MAGIC = 257,
	AT_VERSION = 263,
	AT_DEV_MAJOR = 329,
	AT_DEV_MINOR = 337,
};

static bool write_bytes(struct tar_writer *w, const char *bytes, size_t count, struct error *err);
static bool write_padding(struct tar_writer *w, int64_t bytes, struct error *err);
static bool write_header(struct tar_writer *w, const char *name, int64_t bytes, char type,
			 struct error *err);
static bool write_pax(struct tar_writer *w, const char *path, int64_t bytes, struct error *err);
static size_t put_pax_record(char *at, size_t room, const char *key, const char *value);
static bool copy_content(struct tar_writer *w, const char *path, int file_fd, int64_t bytes,
			 struct error *err);

bool tar_writer_init(struct tar_writer *w, int fd, struct error *err)
{
	memset(w, 0, sizeof *w);
	w->fd = fd;
	w->block = malloc(COPY_BYTES);
	if (w->block == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	if (sha256_init(&w->body, err) && sha256_init(&w->tree, err) &&
	    sha256_init(&w->member, err))
		return true;
	tar_writer_deinit(w);
	return false;
}

bool tar_writer_add(struct tar_writer *w, const char *path, int file_fd, int64_t bytes,
		    struct error *err)
{
	char hex[SHA256_HEX_LEN + 1];
	char line[SHA256_HEX_LEN + TAR_PATH_BYTES_MAX + 8];
	size_t path_len = strlen(path);
	if (path_len > TAR_PATH_BYTES_MAX)
		return status_file_error(err, ENAMETOOLONG, "put into a tarball", path);
	if ((path_len > NAME_BYTES || bytes > SIZE_MAX_IN_HEADER) &&
	    !write_pax(w, path, bytes, err))
		return false;
	if (!write_header(w, path, bytes, '0', err) ||
	    !copy_content(w, path, file_fd, bytes, err) || !write_padding(w, bytes, err) ||
	    !sha256_finish(&w->member, hex, err))
		return false;
	int len = snprintf(line, sizeof line, "%s  %s\n", hex, path);
	w->members_count++;
	return sha256_update(&w->tree, slice_make(line, (size_t)len), err);
}

bool tar_writer_finish(struct tar_writer *w, struct tar_result *out, struct error *err)
{
	static const char zeros[END_BLOCKS * BLOCK_BYTES];
	struct tar_result result;
	if (!write_bytes(w, zeros, sizeof zeros, err) ||
	    !sha256_finish(&w->body, result.sha256, err) ||
	    !sha256_finish(&w->tree, result.tree_sha256, err))
		return false;
	result.bytes = w->bytes;
	*out = result;
	return true;
}

void tar_writer_deinit(struct tar_writer *w)
{
	sha256_deinit(&w->body);
	sha256_deinit(&w->tree);
	sha256_deinit(&w->member);
	free(w->block);
	w->block = NULL;
}

static bool write_bytes(struct tar_writer *w, const char *bytes, size_t count, struct error *err)
{
	if (!sha256_update(&w->body, slice_make(bytes, count), err))
		return false;
	while (count > 0) {
		ssize_t written = write(w->fd, bytes, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return status_disk_error(err, errno, "cannot write a tarball to the spool");
		bytes += written;
		count -= (size_t)written;
		w->bytes += written;
	}
	return true;
}

static bool write_padding(struct tar_writer *w, int64_t bytes, struct error *err)
{
	static const char zeros[BLOCK_BYTES];
	size_t used = (size_t)(bytes % BLOCK_BYTES);
	return used == 0 || write_bytes(w, zeros, BLOCK_BYTES - used, err);
}

static bool write_header(struct tar_writer *w, const char *name, int64_t bytes, char type,
			 struct error *err)
{
	char block[BLOCK_BYTES] = {0};
	size_t name_len = strlen(name);
	/* A longer name and a greater size stand in the pax header, which wins. */
	memcpy(block + AT_NAME, name, name_len < NAME_BYTES ? name_len : NAME_BYTES);
	(void)snprintf(block + AT_MODE, 8, "%07o", 0644);
	(void)snprintf(block + AT_UID, 8, "%07o", 0);
	(void)snprintf(block + AT_GID, 8, "%07o", 0);
	(void)snprintf(block + AT_SIZE, 12, "%011llo",
		       (unsigned long long)(bytes > SIZE_MAX_IN_HEADER ? 0 : bytes));
	(void)snprintf(block + AT_TIME, 12, "%011o", 0);
	block[AT_TYPE] = type;
	memcpy(block + AT_MAGIC, "ustar", 6);
	memcpy(block + AT_VERSION, "00", 2);
	(void)snprintf(block + AT_DEV_MAJOR, 8, "%07o", 0);
	(void)snprintf(block + AT_DEV_MINOR, 8, "%07o", 0);
	/* The checksum is the sum of all bytes, with its own field as spaces. */
	unsigned sum = 0;
	memset(block + AT_CHECKSUM, ' ', 8);
	for (size_t i = 0; i < BLOCK_BYTES; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + AT_CHECKSUM, 7, "%06o", sum & 0777777u);
	return write_bytes(w, block, BLOCK_BYTES, err);
}

static bool write_pax(struct tar_writer *w, const char *path, int64_t bytes, struct error *err)
{
	char records[TAR_PATH_BYTES_MAX + 128];
	size_t len = 0;
	if (strlen(path) > NAME_BYTES)
		len += put_pax_record(records, sizeof records, "path", path);
	if (bytes > SIZE_MAX_IN_HEADER) {
		char digits[24];
		(void)snprintf(digits, sizeof digits, "%lld", (long long)bytes);
		len += put_pax_record(records + len, sizeof records - len, "size", digits);
	}
	return write_header(w, "pax", (int64_t)len, 'x', err) &&
	       write_bytes(w, records, len, err) && write_padding(w, (int64_t)len, err);
}

/* "LEN key=value\n", where LEN counts itself. */
static size_t put_pax_record(char *at, size_t room, const char *key, const char *value)
{
	size_t without_digits = strlen(key) + strlen(value) + 3;
	size_t len = without_digits + 1;
	for (size_t limit = 10; len >= limit; limit *= 10)
		len++;
	int written = snprintf(at, room, "%zu %s=%s\n", len, key, value);
	ASSERT(written >= 0 && (size_t)written == len);
	return len;
}

static bool copy_content(struct tar_writer *w, const char *path, int file_fd, int64_t bytes,
			 struct error *err)
{
	for (int64_t left = bytes; left > 0;) {
		ssize_t count =
			read(file_fd, w->block, left < COPY_BYTES ? (size_t)left : COPY_BYTES);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return status_file_error(err, errno, "read", path);
		if (count == 0)
			return status_file_error(err, EIO, "read to its end", path);
		struct slice piece = slice_make(w->block, (size_t)count);
		if (!sha256_update(&w->member, piece, err) ||
		    !write_bytes(w, piece.ptr, piece.len, err))
			return false;
		left -= count;
	}
	return true;
}
