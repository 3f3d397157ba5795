/* Owns the files and mappings of spool segments. */
#include "src/segment_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/status.h"

static const char suffix[] = ".seg";

void segment_file_name(uint32_t number, char name[SEGMENT_FILE_NAME_BYTES])
{
	int len = snprintf(name, SEGMENT_FILE_NAME_BYTES, "%06u%s", number, suffix);
	ASSERT(len > 0 && len < SEGMENT_FILE_NAME_BYTES);
}

bool segment_file_number(const char *name, uint32_t *number_out)
{
	struct slice digits = slice_from_cstr(name);
	if (!slice_ends_with(digits, slice_from_cstr(suffix)))
		return false;
	digits.len -= strlen(suffix);
	uint64_t number;
	char canonical[SEGMENT_FILE_NAME_BYTES];
	if (!slice_parse_u64(digits, &number) || number == 0 || number > UINT32_MAX - 1)
		return false;
	segment_file_name((uint32_t)number, canonical);
	if (strcmp(canonical, name) != 0)
		return false;
	*number_out = (uint32_t)number;
	return true;
}

bool segment_file_create(int directory_fd, uint32_t number, size_t len, struct segment_file *out,
			 struct error *err)
{
	char name[SEGMENT_FILE_NAME_BYTES];
	segment_file_name(number, name);
	int fd = openat(directory_fd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return status_disk_error(err, errno, "cannot make a file in the spool");
	int error_number = posix_fallocate(fd, 0, (off_t)len);
	void *bytes = MAP_FAILED;
	if (error_number == 0) {
		bytes = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		error_number = errno;
	}
	(void)close(fd); /* the mapping stays; nothing was written through fd */
	if (bytes == MAP_FAILED) {
		(void)unlinkat(directory_fd, name, 0);
		return status_disk_error(err, error_number, "cannot reserve room for the spool");
	}
	*out = (struct segment_file){number, bytes, len};
	return true;
}

bool segment_file_map(int directory_fd, uint32_t number, struct segment_file *out,
		      bool *is_missing_out, struct error *err)
{
	char name[SEGMENT_FILE_NAME_BYTES];
	segment_file_name(number, name);
	if (is_missing_out != NULL)
		*is_missing_out = false;
	int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		if (is_missing_out != NULL)
			*is_missing_out = errno == ENOENT;
		return status_disk_error(err, errno, "cannot open a file of the spool");
	}
	struct stat info;
	void *bytes = NULL;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		(void)close(fd);
		return status_disk_error(err, EINVAL, "cannot read a file of the spool");
	}
	size_t len = (size_t)info.st_size;
	if (len > 0)
		bytes = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	int error_number = errno;
	(void)close(fd);
	if (bytes == MAP_FAILED)
		return status_disk_error(err, error_number, "cannot map a file of the spool");
	*out = (struct segment_file){number, bytes, len};
	return true;
}

void segment_file_unmap(struct segment_file *file)
{
	if (file->bytes_or_null != NULL)
		(void)munmap(file->bytes_or_null, file->len); /* fails only for a wrong range */
	file->bytes_or_null = NULL;
	file->len = 0;
}

bool segment_file_truncate(int directory_fd, uint32_t number, size_t len, struct error *err)
{
	char name[SEGMENT_FILE_NAME_BYTES];
	segment_file_name(number, name);
	int fd = openat(directory_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return status_disk_error(err, errno, "cannot open a file of the spool");
	int failed = ftruncate(fd, (off_t)len);
	int error_number = errno;
	(void)close(fd);
	return failed == 0 ||
	       status_disk_error(err, error_number, "cannot cut a file of the spool");
}

bool segment_file_sync(int directory_fd, const char *name, struct error *err)
{
	int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ||
		       status_disk_error(err, errno, "cannot open a file of the spool");
	/* On Linux this also writes pages that were changed through a mapping. */
	int failed = fdatasync(fd);
	int error_number = errno;
	(void)close(fd);
	return failed == 0 ||
	       status_disk_error(err, error_number, "cannot write the spool to the disk");
}
