/* Owns the directory of a deployment: its folders, links, versions and lock. */
#include "cli/deploy_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/deploy_fault.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/local_tree.h"

#define ADMIN_FOLDER	".trk-deploy"
#define VERSIONS_FOLDER "versions"
#define LINK_PREFIX	VERSIONS_FOLDER "/"

enum { HOLDER_BYTES_MAX = 256 };

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

bool deploy_directory_open(struct cli *cli, const char *path, bool is_made,
			   struct deploy_directory *out, struct error *err)
{
	*out = (struct deploy_directory){
		.arena = cli->arena, .fd = -1, .versions_fd = -1, .admin_fd = -1, .lock_fd = -1};
	if (is_made && mkdir(path, 0777) != 0 && errno != EEXIST)
		return cli_fail_file(err, "make the directory", path);
	char *real = realpath(path, NULL);
	if (real == NULL)
		return errno == ENOENT ? fail_nothing(err, path)
				       : cli_fail_file(err, "open the directory", path);
	out->path = arena_cstr(cli->arena, slice_from_cstr(real));
	free(real);
	out->fd = open(out->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out->fd < 0)
		return cli_fail_file(err, "open the directory", path);
	out->admin_fd = open_folder(out->fd, ADMIN_FOLDER, is_made);
	if (out->admin_fd >= 0)
		out->versions_fd = open_folder(out->fd, VERSIONS_FOLDER, is_made);
	if (out->versions_fd < 0 && errno == ENOENT)
		return fail_nothing(err, path);
	if (out->versions_fd < 0)
		return cli_fail_file(err, "open a folder in", path);
	return !is_made || fsync(out->fd) == 0 || cli_fail_file(err, "write", path);
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

static const char *holder_text(const struct deploy_directory *d)
{
	struct slice text;
	struct error ignored;
	bool is_known =
		files_read(d->admin_fd, "lock", HOLDER_BYTES_MAX, d->arena, &text, &ignored) &&
		text.len > 0;
	return is_known ? arena_cstr(d->arena, slice_trim(text)) : "another process";
}

bool deploy_directory_lock(struct deploy_directory *d, struct error *err)
{
	struct flock lock;
	char host[65] = "?";
	int fd = openat(d->admin_fd, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return cli_fail_file(err, "open the lock of", d->path);
	if (!lock_call(fd, F_OFD_SETLK, &lock)) {
		bool is_held = errno == EAGAIN || errno == EACCES;
		if (is_held)
			(void)error_set(err, ERR_RESOURCE_CONFLICT,
					"%s: another deployment is under way: %s", d->path,
					holder_text(d));
		else
			(void)cli_fail_file(err, "lock", d->path);
		(void)close(fd); /* nothing was written */
		return false;
	}
	d->lock_fd = fd;
	(void)gethostname(host, sizeof(host) - 1); /* "?" does as well */
	struct slice text =
		arena_printf(d->arena, "process %ld on %s, since %.*s\n", (long)getpid(), host,
			     SLICE_FMT(format_time(d->arena, clock_wall_ms(clock_system()))));
	/* The lock counts, not the text: a full disk may leave it empty. */
	(void)(ftruncate(fd, 0) == 0 && files_write_all(fd, text));
	return true;
}

const char *deploy_directory_holder(const struct deploy_directory *d)
{
	struct flock lock;
	int fd = openat(d->admin_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool is_held = fd >= 0 && lock_call(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
	if (fd >= 0)
		(void)close(fd); /* only asked */
	return is_held ? holder_text(d) : NULL;
}

/* ---- links ----------------------------------------------------------------------------------- */

bool deploy_directory_link(const struct deploy_directory *d, const char *link,
			   const char **name_out, struct error *err)
{
	char target[sizeof(LINK_PREFIX) + 256];
	ssize_t len = readlinkat(d->fd, link, target, sizeof(target));
	if (len < 0 && errno == ENOENT) {
		*name_out = "";
		return true;
	}
	struct slice text = slice_make(target, len < 0 ? 0 : (size_t)len);
	struct slice name = slice_from(text, strlen(LINK_PREFIX));
	if (!slice_starts_with(text, SLICE(LINK_PREFIX)) || name.len == 0 || name.ptr[0] == '.' ||
	    text.len == sizeof(target) || slice_find_byte(name, '/', 0) < name.len)
		return error_set(err, ERR_INVALID_STATE,
				 "%s/%s is no link that a deployment made; move it away first",
				 d->path, link);
	*name_out = arena_cstr(d->arena, name);
	return true;
}

bool deploy_directory_point(const struct deploy_directory *d, const char *link, const char *name,
			    struct error *err)
{
	static const char temporary[] = "link.tmp";
	bool ok;
	if (name[0] == '\0') {
		ok = unlinkat(d->fd, link, 0) == 0 || errno == ENOENT;
	} else {
		const char *target =
			arena_cstr(d->arena, arena_printf(d->arena, LINK_PREFIX "%s", name));
		ok = (unlinkat(d->admin_fd, temporary, 0) == 0 || errno == ENOENT) &&
		     symlinkat(target, d->admin_fd, temporary) == 0 &&
		     renameat(d->admin_fd, temporary, d->fd, link) == 0;
	}
	if (ok && fsync(d->fd) == 0)
		return true;
	return cli_fail_file(err, "write",
			     arena_cstr(d->arena, arena_printf(d->arena, "%s/%s", d->path, link)));
}

/* ---- versions -------------------------------------------------------------------------------- */

static const char *within(const struct deploy_directory *d, const char *folder, const char *name)
{
	if (name[0] == '\0')
		return "";
	return arena_cstr(d->arena, arena_printf(d->arena, "%s/%s/%s", d->path, folder, name));
}

const char *deploy_directory_version(const struct deploy_directory *d, const char *name)
{
	return within(d, VERSIONS_FOLDER, name);
}

const char *deploy_directory_admin(const struct deploy_directory *d, const char *name)
{
	return within(d, ADMIN_FOLDER, name);
}

bool deploy_directory_holds(const struct deploy_directory *d, const char *name,
			    const char *tree_sha256)
{
	char digest[SHA256_HEX_LEN + 1];
	struct stat info;
	if (name[0] == '\0' || fstatat(d->versions_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISDIR(info.st_mode))
		return false;
	local_tree_digest(deploy_directory_version(d, name), digest);
	return strcmp(digest, tree_sha256) == 0;
}

bool deploy_directory_place(const struct deploy_directory *d, const char *staging, const char *name,
			    struct error *err)
{
	bool is_new =
		renameat2(d->admin_fd, staging, d->versions_fd, name, RENAME_NOREPLACE) == 0 ||
		(errno == EINVAL && renameat(d->admin_fd, staging, d->versions_fd, name) == 0);
	if (!is_new && (errno != EEXIST || renameat2(d->admin_fd, staging, d->versions_fd, name,
						     RENAME_EXCHANGE) != 0))
		return cli_fail_file(err, "put in place", deploy_directory_version(d, name));
	if (fsync(d->versions_fd) != 0 || fsync(d->admin_fd) != 0)
		return cli_fail_file(err, "write", deploy_directory_version(d, name));
	if (!is_new)
		(void)files_remove_tree(deploy_directory_admin(d, staging)); /* else swept later */
	return true;
}

bool deploy_directory_remove(const struct deploy_directory *d, const char *name, struct error *err)
{
	const char *trash = arena_cstr(d->arena, arena_printf(d->arena, "trash-%s", name));
	if (!files_remove_tree(deploy_directory_admin(d, trash)))
		return cli_fail_file(err, "remove", deploy_directory_admin(d, trash));
	if (renameat(d->versions_fd, name, d->admin_fd, trash) != 0)
		return errno == ENOENT ||
		       cli_fail_file(err, "remove", deploy_directory_version(d, name));
	DEPLOY_FAULT("trashed");
	(void)files_remove_tree(deploy_directory_admin(d, trash)); /* else swept later */
	return true;
}

void deploy_directory_sweep(const struct deploy_directory *d, const char *staging_to_keep)
{
	int fd = openat(d->admin_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
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
			(void)files_remove_tree(deploy_directory_admin(d, entry->d_name));
	}
	(void)closedir(folder); /* only read */
}
