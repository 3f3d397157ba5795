/* The regular files of a directory tree, sorted by the bytes of their relative paths. */
#ifndef CLIENT_FILE_TREE_H
#define CLIENT_FILE_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct file_tree {
	char **paths_or_null; /* relative, '/'-separated */
	size_t count;
	size_t capacity;
};

enum { FILE_TREE_FILES_MAX = 1000000 };

/* Walks real directories below `root_fd`; a symbolic link counts only if it leads to a regular
 * file. `root` is for the sentence. Gives *out (file_tree_deinit). */
MUST_CHECK bool file_tree_list(int root_fd, const char *root, struct file_tree *out,
			       struct error *err);
void file_tree_deinit(struct file_tree *tree);

#endif
