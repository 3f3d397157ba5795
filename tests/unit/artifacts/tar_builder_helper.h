/* Builds tar archives byte by byte, also such as no archiver would make, and compresses them. */
#ifndef UNIT_ARTIFACTS_TAR_BUILDER_HELPER_H
#define UNIT_ARTIFACTS_TAR_BUILDER_HELPER_H

#include <stdint.h>

#include "base/buffer.h"

/* A member with this type flag ('0' file, '5' directory, …) and content. */
void tar_add(struct buffer *tar, const char *name, char type, const char *content);
void tar_add_link(struct buffer *tar, const char *name, char type, const char *target);
/* A pax header ('x' or 'g') with one record, "path=…"; its length is put before it. */
void tar_add_pax(struct buffer *tar, char type, const char *record);
/* A header that claims `size` bytes, and none of them. */
void tar_add_sized(struct buffer *tar, const char *name, int64_t size);
/* A file of `size` bytes that do not compress, made from `seed`. */
void tar_add_noise(struct buffer *tar, const char *name, size_t size, unsigned seed);
/* The end-of-archive mark. */
void tar_end(struct buffer *tar);
/* Computes the checksum of the header block. */
void tar_seal(char *block);

/* Appends `tar` compressed, by zlib and zstd via libarchive's raw format, or as it is. */
typedef void tar_compress_fn(struct slice tar, struct buffer *out);
tar_compress_fn tar_copy, tar_gzip, tar_zstd;
/* `head` and then `zeros` zero bytes, without ever holding them. */
void tar_zstd_of_zeros(struct slice head, int64_t zeros, struct buffer *out);

#endif
