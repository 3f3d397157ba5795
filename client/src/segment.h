/* A segment is one file of a spool: a header, then records, then zeros.
 *
 *     header (64 bytes)   "trkspool", format 1, number, sequence of the first record, checksum
 *     record              checksum u32 · payload bytes u32 · sequence u64 · payload · zeros up to
 *                         a multiple of 8
 *     end                 16 zero bytes, or the end of the file
 *
 * Numbers are little-endian. The checksum (CRC-32C) covers what follows it in the header or record,
 * so a record that a crash cut in half, or whose pages reached the disk only in part, is told from
 * a whole one. Sequences count up by one without gaps inside a segment. All functions work on
 * memory, touch nothing outside the slice they are given, and are pure; any bytes are acceptable
 * input to the reader. */
#ifndef CLIENT_SEGMENT_H
#define CLIENT_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/assert.h"
#include "base/slice.h"

enum {
	SEGMENT_FORMAT = 1,
	SEGMENT_HEADER_BYTES = 64,
	SEGMENT_RECORD_HEADER_BYTES = 16,
	SEGMENT_PAYLOAD_BYTES_MAX = 1024 * 1024, /* far above any value the server keeps */
};

struct segment_header {
	uint32_t format; /* of the file; the reader understands SEGMENT_FORMAT only */
	uint32_t number;
	uint64_t first_sequence;
};

/* Bytes that a record of that payload takes. */
size_t segment_record_bytes(size_t payload_bytes);
/* Writes SEGMENT_HEADER_BYTES. */
void segment_write_header(char *at, uint32_t number, uint64_t first_sequence);
/* Writes segment_record_bytes(payload.len); 1 <= payload.len <= SEGMENT_PAYLOAD_BYTES_MAX. */
void segment_write_record(char *at, uint64_t sequence, struct slice payload);

enum segment_read {
	SEGMENT_RECORD,
	SEGMENT_END,  /* clean: zeros or the end of the file */
	SEGMENT_TORN, /* something that is no whole record begins at reader->offset */
};

struct segment_reader {
	struct slice bytes; /* borrowed for the reader's life */
	size_t offset;	    /* of the next record */
	uint64_t next_sequence;
};

/* False if the header is not whole, or of another format: then only header->format is set (0 if it
 * is no segment). */
MUST_CHECK bool segment_reader_init(struct segment_reader *r, struct slice bytes,
				    struct segment_header *header);
/* The next record; the payload borrows from the bytes. END and TORN stay. */
enum segment_read segment_reader_next(struct segment_reader *r, uint64_t *sequence,
				      struct slice *payload);

#endif
