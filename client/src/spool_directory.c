/* Owns the folder of a run's spool: who may use it, how far it is delivered, and its removal. */
#include "src/spool_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/crc32c.h"
#include "src/segment_file.h"
#include "src/status.h"

struct cursor_slot {
	uint64_t generation;
	uint64_t sequence;
	uint32_t reserved;
	uint32_t crc; /* of what is before it */
};

/* Slots lie a sector apart, so that one torn sector cannot hurt both. */
enum { CURSOR_SLOT_STRIDE = 4096, LOCK_ATTEMPTS_MAX = 16 };

static bool make_folders(const char *path, struct error *err);
static bool open_once(const char *path, struct spool_directory *d, bool *is_gone_out,
		      struct error *err);
static bool lock(struct spool_directory *d, bool *is_gone_out, struct error *err);
static DIR *open_listing(const struct spool_directory *d);
static int compare_numbers(const void *a, const void *b);
static bool load_slot(const struct spool_directory *d, unsigned index, struct cursor_slot *out);

bool spool_directory_open(const char *path, bool must_exist, struct spool_directory *out,
			  struct error *err)
{
	/* A process that has just delivered the run may remove the folder under our hands: then
	 * again. */
	for (int attempt = 0; attempt < LOCK_ATTEMPTS_MAX; attempt++) {
		bool is_gone = false;
		struct spool_directory d = {NULL, -1, -1, -1, 0};
		if (!must_exist && !make_folders(path, err))
			return false;
		if (open_once(path, &d, &is_gone, err)) {
			*out = d;
			return true;
		}
		spool_directory_close(&d);
		if (!is_gone)
			return false;
		if (must_exist)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "there is no such spool");
	}
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "the spool's folder is being removed again and again");
}

void spool_directory_close(struct spool_directory *d)
{
	/* Nothing is written through these descriptors that close could still fail to keep. */
	if (d->cursor_fd >= 0)
		(void)close(d->cursor_fd);
	if (d->lock_fd >= 0)
		(void)close(d->lock_fd);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d->path_or_null);
	d->path_or_null = NULL;
	d->cursor_fd = -1;
	d->lock_fd = -1;
	d->fd = -1;
}

void spool_directory_remove(const struct spool_directory *d)
{
	DIR *dir = open_listing(d);
	if (dir == NULL)
		return;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		/* The cursor says that the rest is delivered, so it goes after it; the lock last of
		 * all. */
		if (strcmp(entry->d_name, "lock") != 0 && strcmp(entry->d_name, "cursor") != 0)
			(void)unlinkat(d->fd, entry->d_name, 0);
	}
	(void)closedir(dir);
	(void)unlinkat(d->fd, "cursor", 0);
	(void)unlinkat(d->fd, "lock", 0);
	(void)rmdir(d->path_or_null);
}

bool spool_directory_segments(const struct spool_directory *d, uint32_t **numbers_out,
			      size_t *count_out, struct error *err)
{
	uint32_t *numbers = NULL;
	size_t count = 0;
	size_t capacity = 0;
	DIR *dir = open_listing(d);
	if (dir == NULL)
		return status_disk_error(err, errno, "cannot list the spool");
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		uint32_t number;
		if (!segment_file_number(entry->d_name, &number))
			continue;
		if (count == capacity) {
			capacity = capacity == 0 ? 16 : capacity * 2;
			uint32_t *bigger = reallocarray(numbers, capacity, sizeof *numbers);
			if (bigger == NULL) {
				free(numbers);
				(void)closedir(dir);
				return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
			}
			numbers = bigger;
		}
		numbers[count++] = number;
	}
	(void)closedir(dir);
	if (count > 0)
		qsort(numbers, count, sizeof *numbers, compare_numbers);
	*numbers_out = numbers;
	*count_out = count;
	return true;
}

uint64_t spool_directory_last_file(const struct spool_directory *d)
{
	uint64_t last = 0;
	DIR *dir = open_listing(d);
	if (dir == NULL)
		return 0;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		struct slice name = slice_from_cstr(entry->d_name);
		uint64_t number;
		if (slice_starts_with(name, SLICE("file-")) &&
		    slice_parse_u64(slice_from(name, 5), &number) && number > last)
			last = number;
	}
	(void)closedir(dir);
	return last;
}

uint64_t spool_directory_load_cursor(struct spool_directory *d)
{
	struct cursor_slot slots[2];
	bool is_good[2] = {load_slot(d, 0, &slots[0]), load_slot(d, 1, &slots[1])};
	if (!is_good[0] && !is_good[1])
		return 0;
	unsigned newest =
		!is_good[0] || (is_good[1] && slots[1].generation > slots[0].generation) ? 1 : 0;
	d->cursor_generation = slots[newest].generation;
	return slots[newest].sequence;
}

bool spool_directory_store_cursor(struct spool_directory *d, uint64_t sequence, struct error *err)
{
	struct cursor_slot slot = {d->cursor_generation + 1, sequence, 0, 0};
	slot.crc = crc32c(0, &slot, offsetof(struct cursor_slot, crc));
	off_t offset = (off_t)(slot.generation % 2) * CURSOR_SLOT_STRIDE;
	ssize_t written = pwrite(d->cursor_fd, &slot, sizeof slot, offset);
	if (written != (ssize_t)sizeof slot)
		return status_disk_error(err, written < 0 ? errno : ENOSPC,
					 "cannot write the spool's cursor");
	d->cursor_generation++;
	return true;
}

bool spool_directory_sync(const struct spool_directory *d, struct error *err)
{
	if (fsync(d->fd) != 0)
		return status_disk_error(err, errno, "cannot write the spool's folder to the disk");
	int parent_fd = openat(d->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent_fd < 0)
		return status_disk_error(err, errno, "cannot open the folder of spools");
	int failed = fsync(parent_fd);
	int error_number = errno;
	(void)close(parent_fd);
	return failed == 0 || status_disk_error(err, error_number,
						"cannot write the folder of spools to the disk");
}

/* mkdir -p with mode 0700: a spool holds values, paths and perhaps passwords in an address. */
static bool make_folders(const char *path, struct error *err)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return error_set(err, ERR_REQUEST_TOO_LARGE, "out of memory");
	int failed = 0;
	for (char *slash = strchr(copy + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		/* Folders above may exist without being writable; what matters is the last one. */
		(void)mkdir(copy, 0700);
		*slash = '/';
	}
	if (mkdir(copy, 0700) != 0 && errno != EEXIST)
		failed = errno;
	free(copy);
	return failed == 0 || status_disk_error(err, failed, "cannot make the spool's folder");
}

/* *is_gone_out: there is no such folder, or not any more. */
static bool open_once(const char *path, struct spool_directory *d, bool *is_gone_out,
		      struct error *err)
{
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		*is_gone_out = errno == ENOENT;
		return status_disk_error(err, errno, "cannot open the spool's folder");
	}
	if (!lock(d, is_gone_out, err))
		return false;
	d->path_or_null = realpath(path, NULL);
	if (d->path_or_null == NULL)
		return status_disk_error(err, errno, "cannot find the spool's folder");
	d->cursor_fd = openat(d->fd, "cursor", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return d->cursor_fd >= 0 || status_disk_error(err, errno, "cannot make the spool's cursor");
}

static bool lock(struct spool_directory *d, bool *is_gone_out, struct error *err)
{
	d->lock_fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (d->lock_fd < 0) {
		*is_gone_out = errno == ENOENT;
		return status_disk_error(err, errno, "cannot make the spool's lock");
	}
	if (flock(d->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK)
			return error_set(err, ERR_RESOURCE_CONFLICT,
					 "another process has this run's spool open");
		return status_disk_error(err, errno, "cannot lock the spool");
	}
	struct stat info;
	if (fstat(d->lock_fd, &info) != 0)
		return status_disk_error(err, errno, "cannot look at the spool's lock");
	*is_gone_out = info.st_nlink == 0;
	return !*is_gone_out || error_set(err, ERR_RESOURCE_CONFLICT, "the spool was just removed");
}

static DIR *open_listing(const struct spool_directory *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (dir == NULL && fd >= 0)
		(void)close(fd);
	return dir;
}

static int compare_numbers(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;
	return (*left > *right) - (*left < *right);
}

static bool load_slot(const struct spool_directory *d, unsigned index, struct cursor_slot *out)
{
	if (pread(d->cursor_fd, out, sizeof *out, (off_t)index * CURSOR_SLOT_STRIDE) !=
	    (ssize_t)sizeof *out)
		return false;
	return out->crc == crc32c(0, out, offsetof(struct cursor_slot, crc)) &&
	       out->generation % 2 == index && out->generation > 0;
}
