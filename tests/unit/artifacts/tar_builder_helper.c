/* Owns the making of archives for tests, field by field. */
#include "tar_builder_helper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

enum { BLOCK = 512 };

void tar_seal(char *block)
{
	unsigned sum = 0;
	memset(block + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum);
}

static void add_header(struct buffer *tar, const char *name, char type, int64_t size, const char *target)
{
	char block[BLOCK] = {0};
	assert_true(strlen(name) < 100 && strlen(target) < 100);
	memcpy(block, name, strlen(name));
	memcpy(block + 100, "0000644", 8);
	memcpy(block + 108, "0000000", 8);
	memcpy(block + 116, "0000000", 8);
	if (size < (int64_t)1 << 33) {
		(void)snprintf(block + 124, 12, "%011llo", (unsigned long long)size);
	} else { /* base 256 */
		block[124] = (char)0x80;
		for (int i = 0; i < 8; i++)
			block[135 - i] = (char)(size >> (8 * i) & 0xff);
	}
	memcpy(block + 136, "00000000000", 12);
	block[156] = type;
	memcpy(block + 157, target, strlen(target));
	memcpy(block + 257, "ustar\0" "00", 8);
	tar_seal(block);
	buffer_append(tar, slice_make(block, BLOCK));
}

static void add_content(struct buffer *tar, struct slice content)
{
	static const char zeros[BLOCK];
	buffer_append(tar, content);
	buffer_append(tar, slice_make(zeros, (BLOCK - content.len % BLOCK) % BLOCK));
}

void tar_add(struct buffer *tar, const char *name, char type, const char *content)
{
	add_header(tar, name, type, (int64_t)strlen(content), "");
	add_content(tar, slice_from_cstr(content));
}

void tar_add_link(struct buffer *tar, const char *name, char type, const char *target)
{
	add_header(tar, name, type, 0, target);
}

void tar_add_pax(struct buffer *tar, char type, const char *record)
{
	char line[2048];
	size_t len = strlen(record) + 2, digits = 1;
	for (size_t n = len + digits; n >= 10; n /= 10)
		digits++;
	if (snprintf(NULL, 0, "%zu", len + digits) != (int)digits)
		digits++;
	(void)snprintf(line, sizeof(line), "%zu %s\n", len + digits, record);
	tar_add(tar, "PaxHeader/x", type, line);
}

void tar_add_sized(struct buffer *tar, const char *name, int64_t size)
{
	add_header(tar, name, '0', size, "");
}

void tar_add_noise(struct buffer *tar, const char *name, size_t size, unsigned seed)
{
	uint64_t x = seed * 2654435761U + 1;
	add_header(tar, name, '0', (int64_t)size, "");
	char *bytes = buffer_reserve(tar, size);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++) {
		x = x * 6364136223846793005U + 1442695040888963407U;
		bytes[i] = (char)(x >> 56);
	}
	buffer_commit(tar, size);
	if (size % BLOCK != 0) {
		char *pad = buffer_reserve(tar, BLOCK - size % BLOCK);
		memset(pad, 0, BLOCK - size % BLOCK);
		buffer_commit(tar, BLOCK - size % BLOCK);
	}
}

void tar_end(struct buffer *tar)
{
	static const char zeros[2 * BLOCK];
	buffer_append(tar, slice_make(zeros, sizeof(zeros)));
}

void tar_copy(struct slice tar, struct buffer *out)
{
	buffer_append(out, tar);
}

static la_ssize_t append_cb(struct archive *archive, void *context, const void *bytes, size_t len)
{
	(void)archive;
	buffer_append(context, slice_make(bytes, len));
	return (la_ssize_t)len;
}

/* The raw format is the bytes of one entry and nothing else: a compressor. */
static struct archive *begin_compression(int (*add_filter)(struct archive *), struct buffer *out)
{
	struct archive *archive = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
	assert_int_equal(add_filter(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(archive, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open(archive, out, NULL, append_cb, NULL), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	archive_entry_free(entry);
	return archive;
}

static void end_compression(struct archive *archive)
{
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void compress(struct slice tar, int (*add_filter)(struct archive *), struct buffer *out)
{
	struct archive *archive = begin_compression(add_filter, out);
	assert_int_equal(archive_write_data(archive, tar.ptr == NULL ? "" : tar.ptr, tar.len), tar.len);
	end_compression(archive);
}

void tar_gzip(struct slice tar, struct buffer *out)
{
	compress(tar, archive_write_add_filter_gzip, out);
}

void tar_zstd(struct slice tar, struct buffer *out)
{
	compress(tar, archive_write_add_filter_zstd, out);
}

void tar_zstd_of_zeros(struct slice head, int64_t zeros, struct buffer *out)
{
	static const char block[1 << 20];
	struct archive *archive = begin_compression(archive_write_add_filter_zstd, out);
	assert_int_equal(archive_write_data(archive, head.ptr, head.len), head.len);
	for (int64_t left = zeros; left > 0; left -= (int64_t)sizeof(block))
		assert_int_equal(archive_write_data(archive, block, sizeof(block)), sizeof(block));
	end_compression(archive);
}
