/* The data directory: one daemon at a time, and databases that have the schema this program knows. */
#ifndef DATA_DIRECTORY_H
#define DATA_DIRECTORY_H

#include "base/error.h"
#include "base/slice.h"

enum { DATA_PATH_BYTES_MAX = 4352 };

struct data_directory {
	char tracker_path[DATA_PATH_BYTES_MAX];
	char artifacts_path[DATA_PATH_BYTES_MAX];
	int lock_fd; /* -1: not locked */
};

/* Makes the folder if it is missing (mode 0700), takes its lock (trackerd.lock, released by the kernel when the
 * process ends, however it ends), creates or migrates the databases. Keeps the lock until data_directory_close.
 * Refuses, and changes no byte of: files that are no databases or not ours, a newer schema, blobs without the
 * tracker.db that says what they are. */
MUST_CHECK bool data_directory_open(const char *path, struct slice artifact_root, struct data_directory *directory,
				    struct error *err);
void data_directory_close(struct data_directory *directory);

#endif
