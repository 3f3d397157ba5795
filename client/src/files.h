/* Small things with files and folders that several commands do. */
#ifndef CLIENT_FILES_H
#define CLIENT_FILES_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* Writes all bytes; false with errno. */
bool files_write_all(int fd, struct slice bytes);
/* The whole content of a regular file, in the arena. Neither symbolic links nor devices are opened. Fails, with
 * errno also in *err's sentence, when it cannot be read or holds more than bytes_max. `name` is relative to the
 * folder. */
MUST_CHECK bool files_read(int folder_fd, const char *name, size_t bytes_max, struct arena *arena,
			   struct slice *out, struct error *err);
/* Replaces the content of a file by a rename, durably: after a crash it is the old one or the new one. False with
 * errno. */
bool files_replace(int folder_fd, const char *name, struct slice content);
/* Removes a folder with all that is in it, or a file; links are not followed. False, with errno, when something
 * stays; nothing there is fine. */
bool files_remove_tree(const char *path);
/* Makes the names in a folder and in all folders below it durable; files are their writer's to sync. False with
 * errno. */
bool files_sync_folders(const char *path);
/* Is it a folder that can be read, and nothing in it? */
bool files_is_empty_folder(const char *path);

#endif
