/* Owns the directory of a deployment: its folders, links, versions and lock. */
#include "src/deploy_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random_id.h"
#include "src/deploy_fault.h"
#include "src/files.h"
#include "src/local_tree.h"
#include "src/status.h"

#define ADMIN_FOLDER	".trk-deploy"
#define VERSIONS_FOLDER "versions"
#define LINK_PREFIX	VERSIONS_FOLDER "/"

/* ---- opening --------------------------------------------------------------------------------- */

static int open_folder(int parent_fd, const char *name, bool is_made)
{
	if (is_made && mkdirat(parent_fd, name, 0777) != 0 && errno != EEXIST)
		return -1;
	return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool fail_nothing(struct error *err, const char *path)
{
	return error_set(err, ERR_NOT_FOUND, "%s: nothing was ever deployed there", path);
}

void deploy_directory_init(struct deploy_directory *d)
{
	*d = (struct deploy_directory){.fd = -1, .versions_fd = -1, .admin_fd = -1, .lock_fd = -1};
}

bool deploy_directory_open(const char *path, bool is_made, struct deploy_directory *out,
			   struct error *err)
{
	deploy_directory_init(out);
	if (is_made && mkdir(path, 0777) != 0 && errno != EEXIST)
		return status_local_error(err, "make the directory", path);
	char *real = realpath(path, NULL);
	bool is_real = real != NULL;
	if (is_real)
		(void)snprintf(out->path, sizeof(out->path), "%s", real); /* PATH_MAX at most */
	free(real);
	if (!is_real)
		return errno == ENOENT ? fail_nothing(err, path)
				       : status_local_error(err, "open the directory", path);
	out->fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0)
		return status_local_error(err, "open the directory", path);
	out->admin_fd = open_folder(out->fd, ADMIN_FOLDER, is_made);
	if (out->admin_fd >= 0)
		out->versions_fd = open_folder(out->fd, VERSIONS_FOLDER, is_made);
	if (out->versions_fd < 0 && errno == ENOENT)
		return fail_nothing(err, path);
	if (out->versions_fd < 0)
		return status_local_error(err, "open a folder in", path);
	return !is_made || fsync(out->fd) == 0 || status_local_error(err, "write", path);
}

void deploy_directory_close(struct deploy_directory *d)
{
	int *fds[] = {&d->fd, &d->versions_fd, &d->admin_fd, &d->lock_fd};
	for (size_t i = 0; i < ARRAY_COUNT(fds); i++) {
		if (*fds[i] >= 0)
			(void)close(*fds[i]); /* handles only; what matters was synced */
		*fds[i] = -1;
	}
}

/* ---- one at a time --------------------------------------------------------------------------- */

/* Locks of an open file: a fork does not share them with hooks, which close it, and they can be asked
 * for without being taken. */
static bool lock_call(int fd, int command, struct flock *lock)
{
	*lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(fd, command, lock) == 0;
}

static void read_holder(int lock_fd, char holder[DEPLOY_HOLDER_BYTES])
{
	ssize_t len = pread(lock_fd, holder, DEPLOY_HOLDER_BYTES - 1, 0);
	if (len > 0 && holder[len - 1] == '\n')
		len--;
	if (len > 0)
		holder[len] = '\0';
	else
		(void)snprintf(holder, DEPLOY_HOLDER_BYTES, "another process");
}

static void write_holder(int lock_fd)
{
	char text[DEPLOY_HOLDER_BYTES], host[65] = "?", since[25];
	(void)gethostname(host, sizeof(host) - 1); /* "?" does as well */
	clock_format_ms(clock_wall_ms(clock_system()), since);
	int len = snprintf(text, sizeof(text), "process %ld on %s, since %s\n", (long)getpid(),
			   host, since);
	/* The lock counts, not the text: a full disk may leave it empty. */
	(void)(ftruncate(lock_fd, 0) == 0 &&
	       files_write_all(lock_fd, slice_make(text, (size_t)len)));
}

bool deploy_directory_lock(struct deploy_directory *d, struct error *err)
{
	struct flock lock;
	char holder[DEPLOY_HOLDER_BYTES];
	int fd = openat(d->admin_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return status_local_error(err, "open the lock of", d->path);
	if (!lock_call(fd, F_OFD_SETLK, &lock)) {
		bool is_held = errno == EAGAIN || errno == EACCES;
		if (is_held)
			read_holder(fd, holder);
		if (is_held)
			(void)error_set(err, ERR_RESOURCE_CONFLICT,
					"%s: another deployment, or a watch, holds it: %s", d->path,
					holder);
		else
			(void)status_local_error(err, "lock", d->path);
		(void)close(fd); /* nothing was written */
		return false;
	}
	d->lock_fd = fd;
	write_holder(fd);
	return true;
}

bool deploy_directory_is_held(const struct deploy_directory *d, char holder[DEPLOY_HOLDER_BYTES])
{
	struct flock lock;
	int fd = openat(d->admin_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool is_held = fd >= 0 && lock_call(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	if (is_held)
		read_holder(fd, holder);
	if (fd >= 0)
		(void)close(fd); /* only asked */
	return is_held;
}

/* ---- its name at the daemon ------------------------------------------------------------------ */

static bool is_id(const char *text)
{
	return strlen(text) == DEPLOY_ID_BYTES - 1 &&
	       strspn(text, "0123456789abcdef") == DEPLOY_ID_BYTES - 1;
}

bool deploy_directory_id(const struct deploy_directory *d, char id[DEPLOY_ID_BYTES],
			 struct error *err)
{
	static const char name[] = "target";
	char text[DEPLOY_ID_BYTES] = "", path[DEPLOY_PATH_BYTES];
	int fd = openat(d->admin_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0) {
		(void)pread(fd, text, sizeof(text) - 1, 0); /* what is not read is none */
		(void)close(fd);			    /* only read */
	}
	if (!is_id(text)) {
		random_id_hex(text);
		if (!files_replace(d->admin_fd, name, slice_from_cstr(text)))
			return status_local_error(err, "write",
						  deploy_directory_admin(d, name, path));
	}
	memcpy(id, text, DEPLOY_ID_BYTES);
	return true;
}

/* ---- links ----------------------------------------------------------------------------------- */

bool deploy_directory_link(const struct deploy_directory *d, const char *link,
			   char name_out[DEPLOY_NAME_BYTES], struct error *err)
{
	char target[sizeof(LINK_PREFIX) - 1 + DEPLOY_NAME_BYTES];
	ssize_t len = readlinkat(d->fd, link, target, sizeof(target));
	if (len < 0 && errno == ENOENT) {
		name_out[0] = '\0';
		return true;
	}
	struct slice text = slice_make(target, len < 0 ? 0 : (size_t)len);
	struct slice name = slice_from(text, strlen(LINK_PREFIX));
	if (!slice_starts_with(text, SLICE(LINK_PREFIX)) || name.len == 0 || name.ptr[0] == '.' ||
	    text.len == sizeof(target) || slice_find_byte(name, '/', 0) < name.len)
		return error_set(err, ERR_INVALID_STATE,
				 "%s/%s is no link that a deployment made; move it away first",
				 d->path, link);
	(void)snprintf(name_out, DEPLOY_NAME_BYTES, "%.*s", SLICE_FMT(name));
	return true;
}

bool deploy_directory_point(const struct deploy_directory *d, const char *link, const char *name,
			    struct error *err)
{
	static const char temporary[] = "link.tmp";
	char text[DEPLOY_PATH_BYTES];
	bool ok;
	if (name[0] == '\0') {
		ok = unlinkat(d->fd, link, 0) == 0 || errno == ENOENT;
	} else {
		(void)snprintf(text, sizeof(text), LINK_PREFIX "%s", name);
		ok = (unlinkat(d->admin_fd, temporary, 0) == 0 || errno == ENOENT) &&
		     symlinkat(text, d->admin_fd, temporary) == 0 &&
		     renameat(d->admin_fd, temporary, d->fd, link) == 0;
	}
	if (ok && fsync(d->fd) == 0)
		return true;
	(void)status_local_error(err, "write", link);
	return error_prefix(err, "%s", d->path);
}

/* ---- versions -------------------------------------------------------------------------------- */

static const char *within(const struct deploy_directory *d, const char *folder, const char *name,
			  char path[DEPLOY_PATH_BYTES])
{
	path[0] = '\0';
	if (name[0] != '\0')
		(void)snprintf(path, DEPLOY_PATH_BYTES, "%s/%s/%s", d->path, folder, name);
	return path;
}

const char *deploy_directory_version(const struct deploy_directory *d, const char *name,
				     char path[DEPLOY_PATH_BYTES])
{
	return within(d, VERSIONS_FOLDER, name, path);
}

const char *deploy_directory_admin(const struct deploy_directory *d, const char *name,
				   char path[DEPLOY_PATH_BYTES])
{
	return within(d, ADMIN_FOLDER, name, path);
}

bool deploy_directory_holds(const struct deploy_directory *d, const char *name,
			    const char *tree_sha256, const struct stop *stop)
{
	char digest[SHA256_HEX_LEN + 1], path[DEPLOY_PATH_BYTES];
	struct stat info;
	if (name[0] == '\0' || fstatat(d->versions_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(info.st_mode))
		return false;
	local_tree_digest(deploy_directory_version(d, name, path), stop, digest);
	return strcmp(digest, tree_sha256) == 0;
}

bool deploy_directory_place(const struct deploy_directory *d, const char *staging, const char *name,
			    struct error *err)
{
	char path[DEPLOY_PATH_BYTES];
	bool is_new =
		renameat2(d->admin_fd, staging, d->versions_fd, name, RENAME_NOREPLACE) == 0 ||
		(errno == EINVAL && renameat(d->admin_fd, staging, d->versions_fd, name) == 0);
	if (!is_new && (errno != EEXIST || renameat2(d->admin_fd, staging, d->versions_fd, name,
						     RENAME_EXCHANGE) != 0))
		return status_local_error(err, "put in place",
					  deploy_directory_version(d, name, path));
	if (fsync(d->versions_fd) != 0 || fsync(d->admin_fd) != 0)
		return status_local_error(err, "write", deploy_directory_version(d, name, path));
	if (!is_new)
		(void)files_remove_tree(
			deploy_directory_admin(d, staging, path)); /* else swept later */
	return true;
}

bool deploy_directory_remove(const struct deploy_directory *d, const char *name, struct error *err)
{
	char trash[DEPLOY_NAME_BYTES], path[DEPLOY_PATH_BYTES], trash_path[DEPLOY_PATH_BYTES];
	(void)snprintf(trash, sizeof(trash), "trash-%s", name);
	(void)deploy_directory_admin(d, trash, trash_path);
	if (!files_remove_tree(trash_path))
		return status_local_error(err, "remove", trash_path);
	if (renameat(d->versions_fd, name, d->admin_fd, trash) != 0)
		return errno == ENOENT ||
		       status_local_error(err, "remove", deploy_directory_version(d, name, path));
	DEPLOY_FAULT("trashed");
	(void)files_remove_tree(trash_path); /* else swept later */
	return true;
}

void deploy_directory_sweep(const struct deploy_directory *d, const char *staging_to_keep)
{
	int fd = openat(d->admin_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	char path[DEPLOY_PATH_BYTES];
	if (folder == NULL) {
		if (fd >= 0)
			(void)close(fd);
		return; /* what stays is in nobody's way */
	}
	while ((entry = readdir(folder)) != NULL) {
		struct slice name = slice_from_cstr(entry->d_name);
		bool is_left_over = slice_starts_with(name, SLICE("staging-")) ||
				    slice_starts_with(name, SLICE("trash-")) ||
				    slice_eq_cstr(name, "link.tmp");
		if (is_left_over && strcmp(entry->d_name, staging_to_keep) != 0)
			(void)files_remove_tree(deploy_directory_admin(d, entry->d_name, path));
	}
	(void)closedir(folder); /* only read */
}
