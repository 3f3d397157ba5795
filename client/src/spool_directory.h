/* The folder of one run's spool: its lock, its cursor, its files.
 *
 *     SPOOL/<run id>/lock          flock: held by the process that writes the run or delivers it
 *                    cursor        how far the server has confirmed
 *                    000001.seg …  records (segment.h); 000001 stays until the end: it knows the address
 *                    file-N        copies of logged files and tarballs of directories
 *     SPOOL/rejected/<run id>.jsonl …   what the server refused
 *
 * The cursor is written in place, in two slots by turns, each with a checksum and a generation: a
 * torn write loses at most one step, and then some records are sent again. */
#ifndef CLIENT_SPOOL_DIRECTORY_H
#define CLIENT_SPOOL_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct spool_directory {
	char *path_or_null; /* absolute */
	int fd;
	int lock_fd;
	int cursor_fd;
	uint64_t cursor_generation;
};

/* Makes the folder `path` (and those above it, mode 0700) unless `must_exist`, and locks it. Fails
 * with RESOURCE_CONFLICT when another process has the lock, INVALID_PARAMETER_VALUE when it must
 * exist and does not. */
MUST_CHECK bool spool_directory_open(const char *path, bool must_exist, struct spool_directory *out,
				     struct error *err);
/* Releases the lock; safe on one whose open failed. */
void spool_directory_close(struct spool_directory *d);
/* Removes all files, then the folder. Failures leave the rest for the next time. The lock is still
 * to be released. */
void spool_directory_remove(const struct spool_directory *d);
/* Numbers of the segments, ascending; gives the array (free). */
MUST_CHECK bool spool_directory_segments(const struct spool_directory *d, uint32_t **numbers_out,
					 size_t *count_out, struct error *err);
/* The highest N of files "file-N"; 0 without any. */
uint64_t spool_directory_last_file(const struct spool_directory *d);
/* The confirmed sequence; 0 if there is no cursor or it cannot be trusted. */
uint64_t spool_directory_load_cursor(struct spool_directory *d);
/* Survives the process at once. False when the disk refuses. */
MUST_CHECK bool spool_directory_store_cursor(struct spool_directory *d, uint64_t sequence,
					     struct error *err);
/* Entries of the folder, and the folder's own entry, are on the disk when this returns true. */
MUST_CHECK bool spool_directory_sync(const struct spool_directory *d, struct error *err);

#endif
