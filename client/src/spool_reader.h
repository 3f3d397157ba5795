/* Reads a spool's records in order, for the one thread that delivers them, while others append.
 *
 * Records borrow from the mapping of one segment. They stay valid until spool_reader_advance, which
 * the caller does only when it has no use for earlier records any more. */
#ifndef CLIENT_SPOOL_READER_H
#define CLIENT_SPOOL_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "src/record.h"
#include "src/segment.h"
#include "src/segment_file.h"
#include "src/spool.h"

struct spool_reader {
	struct spool *spool;  /* kept */
	struct spool_end end; /* as last asked for */
	struct segment_file file;
	struct segment_reader segment;
	struct slice *names_or_null; /* of the segment, by number */
	uint32_t names_count;
	uint32_t names_capacity;
	uint64_t after; /* records up to here are delivered and skipped */
};

enum spool_read {
	SPOOL_READ_RECORD,
	SPOOL_READ_UNREADABLE, /* whole, but not understood; only `sequence` is set */
	SPOOL_READ_NONE,       /* nothing more for now */
	SPOOL_READ_BOUNDARY,   /* more in the next segment: advance first */
	SPOOL_READ_FAILED,     /* no memory, or the disk; try again later */
};

/* Begins after what is confirmed. */
void spool_reader_init(struct spool_reader *r, struct spool *s);
void spool_reader_deinit(struct spool_reader *r);
enum spool_read spool_reader_next(struct spool_reader *r, struct record *out, struct error *err);
/* Goes to the next segment there is. Fails when it cannot be mapped. */
MUST_CHECK bool spool_reader_advance(struct spool_reader *r, struct error *err);

#endif
