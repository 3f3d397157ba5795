/* Reads the segments that an earlier process left: what is whole, where it ends, what it said. */
#ifndef CLIENT_SPOOL_SCAN_H
#define CLIENT_SPOOL_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "src/spool.h"
#include "src/spool_directory.h"

/* What the spool remembers of a segment on disk. */
struct spool_segment {
	uint32_t number;
	size_t bytes;
	uint64_t last_sequence;
};

struct spool_scan {
	struct spool_segment *segments_or_null; /* ascending; gives (free) */
	size_t segments_count;
	uint64_t last_sequence;
	struct spool_end end;
	struct spool_found found;
	char *url_or_null; /* gives (free) */
};

/* `confirmed` is the cursor: what is missing up to there was delivered. Torn tails are cut off on
 * disk, so that they stay out; segments without a whole header are renamed to *.bad. Fails with
 * DATA_LOSS on a format of another version. */
MUST_CHECK bool spool_scan(const struct spool_directory *d, uint64_t confirmed,
			   struct spool_scan *out, struct error *err);
void spool_scan_deinit(struct spool_scan *scan);

#endif
