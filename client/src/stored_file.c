/* Owns how files and directories of the caller get into the spool. */
#include "src/stored_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/file_tree.h"
#include "src/status.h"
#include "src/tar_writer.h"

static bool create_stored(int spool_fd, uint64_t number, struct stored_file *out, int *fd_out,
			  struct error *err);
static bool copy_bytes(int from_fd, int to_fd, const char *path, struct error *err);
static bool pack_tree(int root_fd, const char *root, const struct file_tree *tree, int to_fd,
		      struct tar_result *result, struct error *err);
static bool pack_one(struct tar_writer *w, int root_fd, const char *path, struct error *err);

bool stored_file_copy(int spool_fd, uint64_t number, const char *path, struct stored_file *out,
		      struct error *err)
{
	struct stored_file stored = {.bytes = 0};
	struct stat info;
	int to_fd = -1;
	int from_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (from_fd < 0)
		return status_file_error(err, errno, "open", path);
	if (fstat(from_fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		(void)close(from_fd);
		return status_file_error(err, S_ISDIR(info.st_mode) ? EISDIR : EINVAL, "log", path);
	}
	if (!create_stored(spool_fd, number, &stored, &to_fd, err)) {
		(void)close(from_fd);
		return false;
	}
	/* A reflink shares the blocks until one side changes; not every file system has them. */
	bool ok = ioctl(to_fd, FICLONE, from_fd) == 0 || copy_bytes(from_fd, to_fd, path, err);
	ok = ok && sha256_of_file(to_fd, path, stored.sha256, &stored.bytes, err);
	(void)close(from_fd);
	if (close(to_fd) != 0 && ok)
		ok = status_disk_error(err, errno, "cannot write a copy to the spool");
	if (ok)
		*out = stored;
	else
		(void)unlinkat(spool_fd, stored.name, 0);
	return ok;
}

bool stored_file_pack(int spool_fd, uint64_t number, const char *path, struct stored_file *out,
		      struct error *err)
{
	struct stored_file stored = {.bytes = 0};
	struct file_tree tree;
	struct tar_result result = {.bytes = 0};
	int to_fd = -1;
	int root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return status_file_error(err, errno, "open", path);
	if (!file_tree_list(root_fd, path, &tree, err)) {
		(void)close(root_fd);
		return false;
	}
	bool ok = create_stored(spool_fd, number, &stored, &to_fd, err);
	if (ok) {
		ok = pack_tree(root_fd, path, &tree, to_fd, &result, err);
		if (close(to_fd) != 0 && ok)
			ok = status_disk_error(err, errno, "cannot write a tarball to the spool");
		if (!ok)
			(void)unlinkat(spool_fd, stored.name, 0);
	}
	if (ok) {
		stored.bytes = result.bytes;
		memcpy(stored.sha256, result.sha256, sizeof stored.sha256);
		memcpy(stored.tree_sha256, result.tree_sha256, sizeof stored.tree_sha256);
		*out = stored;
	}
	file_tree_deinit(&tree);
	(void)close(root_fd);
	return ok;
}

static bool create_stored(int spool_fd, uint64_t number, struct stored_file *out, int *fd_out,
			  struct error *err)
{
	(void)snprintf(out->name, sizeof out->name, "file-%llu", (unsigned long long)number);
	int fd = openat(spool_fd, out->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return status_disk_error(err, errno, "cannot make a copy in the spool");
	*fd_out = fd;
	return true;
}

static bool copy_bytes(int from_fd, int to_fd, const char *path, struct error *err)
{
	enum { PIECE_BYTES = 64 * 1024 };
	char piece[PIECE_BYTES];
	for (;;) {
		ssize_t count = read(from_fd, piece, sizeof piece);
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return status_file_error(err, errno, "read", path);
		if (count == 0)
			return true;
		for (ssize_t done = 0; done < count;) {
			ssize_t written = write(to_fd, piece + done, (size_t)(count - done));
			if (written < 0 && errno == EINTR)
				continue;
			if (written < 0)
				return status_disk_error(err, errno,
							 "cannot write a copy to the spool");
			done += written;
		}
	}
}

static bool pack_tree(int root_fd, const char *root, const struct file_tree *tree, int to_fd,
		      struct tar_result *result, struct error *err)
{
	struct tar_writer w;
	if (tree->count == 0)
		return status_file_error(err, ENOENT, "find a file in", root);
	if (!tar_writer_init(&w, to_fd, err))
		return false;
	bool ok = true;
	for (size_t i = 0; ok && i < tree->count; i++)
		ok = pack_one(&w, root_fd, tree->paths_or_null[i], err);
	ok = ok && tar_writer_finish(&w, result, err);
	tar_writer_deinit(&w);
	return ok;
}

static bool pack_one(struct tar_writer *w, int root_fd, const char *path, struct error *err)
{
	struct stat info;
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return status_file_error(err, errno, "open", path);
	bool ok = fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
	if (!ok)
		(void)status_file_error(err, EINVAL, "log", path);
	ok = ok && tar_writer_add(w, path, fd, info.st_size, err);
	(void)close(fd);
	return ok;
}
