/* Owns what several commands do with files and folders. */
#include "src/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/status.h"

enum { WALK_FDS = 16 };

bool files_write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t written = write(fd, bytes.ptr, bytes.len);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes = slice_from(bytes, (size_t)written);
	}
	return true;
}

/* Up to `room` bytes; fewer only at the end of the file. -1 with errno. */
static ssize_t read_all(int fd, char *out, size_t room)
{
	size_t len = 0;
	while (len < room) {
		ssize_t got = read(fd, out + len, room - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		len += (size_t)got;
	}
	return (ssize_t)len;
}

static bool read_open(int fd, const char *name, size_t bytes_max, struct arena *arena,
		      struct slice *out, struct error *err)
{
	struct stat info;
	if (fstat(fd, &info) != 0)
		return status_local_error(err, "read", name);
	if (!S_ISREG(info.st_mode))
		return error_set(err, ERR_INVALID_STATE, "%s is no regular file", name);
	if ((uint64_t)info.st_size > bytes_max)
		return error_set(err, ERR_INVALID_STATE, "%s is larger than %zu bytes", name,
				 bytes_max);
	size_t bytes = (size_t)info.st_size;
	char *content = ARENA_NEW(arena, char, bytes + 1);
	ssize_t len = read_all(fd, content, bytes);
	if (len < 0)
		return status_local_error(err, "read", name);
	*out = slice_make(content, (size_t)len);
	return true;
}

bool files_read(int folder_fd, const char *name, size_t bytes_max, struct arena *arena,
		struct slice *out, struct error *err)
{
	int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return status_local_error(err, "read", name);
	bool ok = read_open(fd, name, bytes_max, arena, out, err);
	(void)close(fd); /* only read */
	return ok;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info, (void)kind, (void)at;
	return remove(path);
}

bool files_replace(int folder_fd, const char *name, struct slice content)
{
	char temporary[256];
	(void)snprintf(temporary, sizeof(temporary), "%s.tmp", name);
	int fd = openat(folder_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
			0666);
	if (fd < 0)
		return false;
	bool ok = files_write_all(fd, content) && fsync(fd) == 0;
	int error_number = errno;
	if (close(fd) != 0 && ok)
		return false;
	errno = error_number;
	return ok && renameat(folder_fd, temporary, folder_fd, name) == 0 && fsync(folder_fd) == 0;
}

bool files_remove_tree(const char *path)
{
	return nftw(path, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT;
}

static int sync_folder(const char *path, const struct stat *info, int kind, struct FTW *at)
{
	(void)info, (void)at;
	if (kind != FTW_D)
		return 0; /* files were synced when they were written */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		(void)close(fd);
	return status;
}

bool files_sync_folders(const char *path)
{
	return nftw(path, sync_folder, WALK_FDS, FTW_PHYS) == 0;
}

bool files_is_empty_folder(const char *path)
{
	size_t count = 0;
	DIR *directory = opendir(path);
	while (directory != NULL && count <= 2 && readdir(directory) != NULL)
		count++; /* "." and ".." */
	if (directory != NULL)
		(void)closedir(directory); /* only read */
	return directory != NULL && count <= 2;
}
