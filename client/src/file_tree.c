/* Owns the walk over a directory that is to be logged. */
#include "src/file_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/status.h"

enum entry_kind { ENTRY_OTHER, ENTRY_FILE, ENTRY_DIRECTORY };

static bool list_one(int root_fd, const char *root, const char *relative, struct file_tree *files,
		     struct file_tree *folders, struct error *err);
static enum entry_kind kind_of(int directory_fd, const char *name);
static bool add_path(struct file_tree *tree, const char *folder, const char *name,
		     struct error *err);
static int compare_paths(const void *a, const void *b);

bool file_tree_list(int root_fd, const char *root, struct file_tree *out, struct error *err)
{
	struct file_tree files = {NULL, 0, 0};
	struct file_tree folders = {NULL, 0,
				    0}; /* still to be listed; a stack instead of recursion */
	bool ok = list_one(root_fd, root, "", &files, &folders, err);
	while (ok && folders.count > 0) {
		char *folder = folders.paths_or_null[--folders.count];
		ok = list_one(root_fd, root, folder, &files, &folders, err);
		free(folder);
	}
	file_tree_deinit(&folders);
	if (!ok) {
		file_tree_deinit(&files);
		return false;
	}
	if (files.count > 0)
		qsort(files.paths_or_null, files.count, sizeof *files.paths_or_null, compare_paths);
	*out = files;
	return true;
}

void file_tree_deinit(struct file_tree *tree)
{
	for (size_t i = 0; i < tree->count; i++)
		free(tree->paths_or_null[i]);
	free(tree->paths_or_null);
	memset(tree, 0, sizeof *tree);
}

static bool list_one(int root_fd, const char *root, const char *relative, struct file_tree *files,
		     struct file_tree *folders, struct error *err)
{
	int fd = openat(root_fd, relative[0] == '\0' ? "." : relative,
			O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		int error_number = errno;
		if (fd >= 0)
			(void)close(fd);
		return status_file_error(err, error_number, "list a folder of", root);
	}
	bool ok = true;
	const struct dirent *entry;
	errno = 0;
	while (ok && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		enum entry_kind kind = kind_of(dirfd(dir), entry->d_name);
		if (kind != ENTRY_OTHER)
			ok = add_path(kind == ENTRY_FILE ? files : folders, relative, entry->d_name,
				      err);
		errno = 0;
	}
	if (ok && errno != 0)
		ok = status_file_error(err, errno, "list a folder of", root);
	(void)closedir(dir);
	return ok;
}

static enum entry_kind kind_of(int directory_fd, const char *name)
{
	struct stat info;
	if (fstatat(directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return ENTRY_OTHER; /* gone since it was listed */
	if (S_ISDIR(info.st_mode))
		return ENTRY_DIRECTORY;
	if (S_ISLNK(info.st_mode) && fstatat(directory_fd, name, &info, 0) != 0)
		return ENTRY_OTHER;
	return S_ISREG(info.st_mode) ? ENTRY_FILE : ENTRY_OTHER;
}

static bool add_path(struct file_tree *tree, const char *folder, const char *name,
		     struct error *err)
{
	if (tree->count >= FILE_TREE_FILES_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "the directory holds more than %d files", FILE_TREE_FILES_MAX);
	if (tree->count == tree->capacity) {
		size_t capacity = tree->capacity * 2 + 64;
		char **bigger = reallocarray(tree->paths_or_null, capacity, sizeof *bigger);
		if (bigger == NULL)
			return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
		tree->paths_or_null = bigger;
		tree->capacity = capacity;
	}
	char *path;
	if (asprintf(&path, "%s%s%s", folder, folder[0] == '\0' ? "" : "/", name) < 0)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	tree->paths_or_null[tree->count++] = path;
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;
	return strcmp(*left, *right);
}
