/* Segment files in a spool's folder: made, mapped, measured, removed. Names are "000001.seg" and
 * up.
 *
 * A new segment's blocks are reserved before it is mapped, so that a full disk is an error here and
 * not a SIGBUS in the middle of a record. */
#ifndef CLIENT_SEGMENT_FILE_H
#define CLIENT_SEGMENT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct segment_file {
	uint32_t number;
	char *bytes_or_null; /* the mapping */
	size_t len;
};

enum { SEGMENT_FILE_NAME_BYTES = 16 };

void segment_file_name(uint32_t number, char name[SEGMENT_FILE_NAME_BYTES]);
/* The number in a file name; false if it is no segment's. */
bool segment_file_number(const char *name, uint32_t *number_out);
/* Makes a file of `len` zeros and maps it for writing. Fails if it exists; leaves no file behind on
 * failure. */
MUST_CHECK bool segment_file_create(int directory_fd, uint32_t number, size_t len,
				    struct segment_file *out, struct error *err);
/* Maps an existing one for reading; an empty file has no bytes. *is_missing_out, when not NULL,
 * tells that there is none. */
MUST_CHECK bool segment_file_map(int directory_fd, uint32_t number, struct segment_file *out,
				 bool *is_missing_out, struct error *err);
void segment_file_unmap(struct segment_file *file);
MUST_CHECK bool segment_file_truncate(int directory_fd, uint32_t number, size_t len,
				      struct error *err);
/* Waits until the file's content is on the disk; a missing file is fine (it was delivered). */
MUST_CHECK bool segment_file_sync(int directory_fd, const char *name, struct error *err);

#endif
