/* Owns the writing of downloaded files. */
#include "src/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/files.h"
#include "src/status.h"
#include "src/transport.h"

enum { PATH_BYTES_MAX = 64 * 1024 };

/* One file on its way. */
struct part {
	struct download *download;
	const struct manifest_file *file;
	int fd;
	int64_t bytes;	     /* in the part, hashed */
	int64_t done_before; /* bytes of the files before this one */
	struct sha256 hash;
	bool is_wrong; /* the server sends other bytes than promised */
};

int download_open_folder(int root_fd, const char *path, const char **name_out, struct error *err)
{
	int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
	char segment[256];
	for (const char *slash; fd >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
		(void)snprintf(segment, sizeof(segment), "%.*s", (int)(slash - path), path);
		int next = -1;
		if (mkdirat(fd, segment, 0777) == 0 || errno == EEXIST)
			next = openat(fd, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		int error_number = errno;
		(void)close(fd);
		errno = error_number;
		fd = next;
		if (fd < 0)
			(void)status_local_error(err, "open the folder", segment);
	}
	*name_out = path;
	return fd;
}

static void tell(struct download *d, int64_t done)
{
	d->done = done;
	if (d->moved != NULL)
		d->moved(d->context, d->done, d->skipped);
}

/* ---- the part -------------------------------------------------------------------------------- */

/* Hashes what is there already, so that the transfer can go on behind it. */
static bool take_up(struct part *p, struct error *err)
{
	char block[64 * 1024];
	ssize_t count;
	while ((count = read(p->fd, block, sizeof(block))) > 0) {
		if (p->bytes + count > p->file->bytes) {
			p->bytes = p->file->bytes + 1; /* too long: not ours */
			return true;
		}
		if (!sha256_update(&p->hash, slice_make(block, (size_t)count), err))
			return false;
		p->bytes += count;
	}
	return count == 0 || status_local_error(err, "read", p->file->path);
}

static bool begin_anew(struct part *p, struct error *err)
{
	char ignored[SHA256_HEX_LEN + 1];
	p->bytes = 0;
	if (ftruncate(p->fd, 0) != 0 || lseek(p->fd, 0, SEEK_SET) != 0)
		return status_local_error(err, "write", p->file->path);
	return sha256_finish(&p->hash, ignored, err);
}

static bool on_begin(void *context, int64_t from, struct error *err)
{
	struct part *p = context;
	return from == p->bytes || begin_anew(p, err);
}

static bool fail_wrong(struct part *p, struct error *err)
{
	p->is_wrong = true;
	return error_set(err, ERR_DATA_LOSS,
			 "%s: the server sent other bytes than its digest promises", p->file->path);
}

static bool on_bytes(void *context, struct slice bytes, struct error *err)
{
	struct part *p = context;
	if (!fetcher_check(p->download->fetcher, err))
		return false;
	if ((int64_t)bytes.len > p->file->bytes - p->bytes)
		return fail_wrong(p, err);
	if (!files_write_all(p->fd, bytes))
		return status_local_error(err, "write", p->file->path);
	p->bytes += (int64_t)bytes.len;
	tell(p->download, p->done_before + p->bytes);
	return sha256_update(&p->hash, bytes, err);
}

static bool transfer(struct part *p, struct error *err)
{
	struct download *d = p->download;
	if (p->bytes == p->file->bytes)
		return true;
	if (p->bytes > 0) {
		d->resumed_bytes += p->bytes;
		d->skipped += p->bytes;
	}
	struct buffer path;
	buffer_init(&path, PATH_BYTES_MAX);
	buffer_append_cstr(&path, "/api/2.0/mlflow-artifacts/artifacts/");
	transport_encode_path(d->source, &path);
	if (d->source.len > 0)
		buffer_append_byte(&path, '/');
	transport_encode_path(slice_from_cstr(p->file->path), &path);
	const struct fetch_range range = {
		.path = buffer_slice(&path),
		.from = p->bytes,
		.etag = p->file->sha256,
		.begin = on_begin,
		.bytes = on_bytes,
		.context = p,
	};
	bool ok = buffer_check(&path, "the path of a file", err) &&
		  d->fetcher->download(d->fetcher->context, &range, err);
	buffer_deinit(&path);
	return ok;
}

static bool verify(struct part *p, struct error *err)
{
	char digest[SHA256_HEX_LEN + 1];
	if (!sha256_finish(&p->hash, digest, err))
		return false;
	if (p->bytes != p->file->bytes || strcmp(digest, p->file->sha256) != 0)
		return fail_wrong(p, err);
	return fsync(p->fd) == 0 || status_local_error(err, "write", p->file->path);
}

/* ---- one file -------------------------------------------------------------------------------- */

/* Is the file there already, as it should be? */
static bool is_there(int folder_fd, const char *name, const struct manifest_file *file)
{
	char digest[SHA256_HEX_LEN + 1];
	struct error ignored;
	struct stat info;
	int64_t bytes;
	int fd = openat(folder_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return false;
	bool same = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == file->bytes &&
		    sha256_of_file(fd, name, digest, &bytes, &ignored) &&
		    strcmp(digest, file->sha256) == 0;
	(void)close(fd); /* only read */
	return same;
}

static bool lock_part(const struct part *p, struct error *err)
{
	if (flock(p->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	return error_set(err, ERR_RESOURCE_CONFLICT, "%s: another process is fetching this file",
			 p->file->path);
}

static bool fetch(struct part *p, int folder_fd, const char *name, struct error *err)
{
	char part_name[64];
	(void)snprintf(part_name, sizeof(part_name), ".trk-%.16s.part", p->file->sha256);
	p->fd = openat(folder_fd, part_name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (p->fd < 0)
		return status_local_error(err, "write", p->file->path);
	bool ok = lock_part(p, err) && take_up(p, err) &&
		  (p->bytes <= p->file->bytes || begin_anew(p, err));
	bool is_resumed = ok && p->bytes > 0;
	ok = ok && transfer(p, err) && verify(p, err);
	if (!ok && p->is_wrong &&
	    is_resumed) { /* what was there may have been wrong, not the server */
		p->is_wrong = false;
		ok = begin_anew(p, err) && transfer(p, err) && verify(p, err);
	}
	if (close(p->fd) != 0 && ok)
		ok = status_local_error(err, "write", p->file->path);
	if (ok && renameat(folder_fd, part_name, folder_fd, name) != 0)
		ok = status_local_error(err, "write", p->file->path);
	if (!ok && p->is_wrong)
		(void)unlinkat(folder_fd, part_name,
			       0); /* worth nothing; if it stays, it is checked again */
	return ok;
}

bool download_file(struct download *d, const struct manifest_file *file, struct error *err)
{
	struct part p = {.download = d, .file = file, .fd = -1, .done_before = d->done};
	const char *name;
	int folder_fd = download_open_folder(d->root_fd, file->path, &name, err);
	if (folder_fd < 0)
		return error_prefix(err, "%s", d->root);
	bool ok = true;
	if (is_there(folder_fd, name, file)) {
		d->skipped_count++;
		d->skipped += file->bytes;
	} else {
		ok = sha256_init(&p.hash, err) && fetch(&p, folder_fd, name, err);
		sha256_deinit(&p.hash);
	}
	(void)close(folder_fd); /* only a handle */
	if (ok)
		tell(d, p.done_before + file->bytes);
	return ok;
}

bool download_tree(struct download *d, const struct manifest *manifest, struct error *err)
{
	for (size_t i = 0; i < manifest->count; i++) {
		if (!fetcher_check(d->fetcher, err) || !download_file(d, &manifest->files[i], err))
			return false;
	}
	return true;
}
