/* Owns what is on the disk while an export runs: lock, staging, putting in place. */
#include "cli/export_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/download.h"
#include "src/files.h"

enum { NAME_BYTES_MAX = 255, PATH_BYTES_MAX = 4096 };
#define MARK_NAME ".trackerd-export"
#define NEW_NAME  ".trackerd-export-new"
/* MLflow takes each folder for an experiment; this one is no name that it would stumble over. */
#define STAGING_NAME "trk-export-tmp"

static bool open_mark(struct export_tree *tree, bool is_forced, bool is_dry, struct error *err);
static bool open_staging(struct export_tree *tree, struct error *err);
static const char *path_of(const struct export_tree *tree, const char *relative);

bool export_tree_open(struct cli *cli, const char *path, bool is_forced, bool is_dry,
		      struct export_tree *out, struct error *err)
{
	struct export_tree tree = {.cli = cli, .root_fd = -1, .mark_fd = -1, .staging_fd = -1};
	if (!is_dry && mkdir(path, 0777) != 0 && errno != EEXIST)
		return cli_fail_file(err, "make the folder", path);
	char *real = realpath(path, NULL);
	if (real == NULL && !(is_dry && errno == ENOENT))
		return cli_fail_file(err, "open the folder", path);
	tree.root = arena_cstr(cli->arena, slice_from_cstr(real != NULL ? real : path));
	free(real);
	tree.root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (tree.root_fd < 0 && !(is_dry && errno == ENOENT))
		return cli_fail_file(err, "open the folder", path);
	*out = tree;
	if ((tree.root_fd < 0 || open_mark(out, is_forced, is_dry, err)) &&
	    (is_dry || open_staging(out, err)))
		return true;
	export_tree_close(out);
	return false;
}

void export_tree_close(struct export_tree *tree)
{
	while (tree->pending_count > 0)
		free(tree->pending[--tree->pending_count].target);
	if (tree->staging_fd >= 0) {
		(void)close(tree->staging_fd); /* only a handle */
		(void)files_remove_tree(
			path_of(tree, STAGING_NAME)); /* else the next export does */
	}
	if (tree->mark_fd >= 0)
		(void)close(tree->mark_fd); /* gives up the lock */
	if (tree->root_fd >= 0)
		(void)close(tree->root_fd); /* only a handle */
	tree->root_fd = tree->mark_fd = tree->staging_fd = -1;
}

static const char *path_of(const struct export_tree *tree, const char *relative)
{
	return arena_cstr(tree->cli->arena,
			  arena_printf(tree->cli->arena, "%s/%s", tree->root, relative));
}

/* ---- opening --------------------------------------------------------------------------------- */

static bool open_mark(struct export_tree *tree, bool is_forced, bool is_dry, struct error *err)
{
	int flags = O_RDWR | O_NOFOLLOW | O_CLOEXEC;
	tree->mark_fd = openat(tree->root_fd, MARK_NAME, flags);
	if (tree->mark_fd < 0 && errno != ENOENT)
		return cli_fail_file(err, "open", path_of(tree, MARK_NAME));
	if (tree->mark_fd < 0) {
		if (!is_forced && !files_is_empty_folder(tree->root))
			return error_set(err, ERR_RESOURCE_CONFLICT,
					 "%s holds something, and no export of trk; name a new or "
					 "empty folder, or say --force to add to what is there",
					 tree->root);
		if (is_dry)
			return true;
		tree->mark_fd = openat(tree->root_fd, MARK_NAME, flags | O_CREAT, 0666);
		if (tree->mark_fd < 0)
			return cli_fail_file(err, "make", path_of(tree, MARK_NAME));
	}
	if (flock(tree->mark_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	return error_set(err, ERR_RESOURCE_CONFLICT, "another export into %s is running",
			 tree->root);
}

static bool open_staging(struct export_tree *tree, struct error *err)
{
	const char *path = path_of(tree, STAGING_NAME);
	if (!files_remove_tree(path) || mkdirat(tree->root_fd, STAGING_NAME, 0777) != 0)
		return cli_fail_file(err, "make the folder", path);
	tree->staging_fd = openat(tree->root_fd, STAGING_NAME,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return tree->staging_fd >= 0 || cli_fail_file(err, "open the folder", path);
}

/* ---- staging --------------------------------------------------------------------------------- */

static void staged_name(const struct export_tree *tree, char name[16])
{
	(void)snprintf(name, 16, "%u", tree->staged_count);
}

bool export_tree_stage(struct export_tree *tree, int *fd_out, struct error *err)
{
	char name[16];
	tree->staged_count++;
	staged_name(tree, name);
	*fd_out = export_folder_make(tree->staging_fd, name, err);
	return *fd_out >= 0;
}

bool export_tree_put(struct export_tree *tree, int fd, const char *target,
		     const char *digest_or_null, struct error *err)
{
	bool ok = digest_or_null == NULL ||
		  export_file_write(fd, MARK_NAME, slice_from_cstr(digest_or_null), err);
	(void)close(fd); /* only a handle */
	if (!ok)
		return false;
	staged_name(tree, tree->pending[tree->pending_count].name);
	char *copy = strdup(target);
	if (copy == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	tree->pending[tree->pending_count++].target = copy;
	return tree->pending_count < EXPORT_PENDING_MAX || export_tree_flush(tree, err);
}

static void remove_staged(struct export_tree *tree, const char *name)
{
	struct arena_mark mark = arena_mark(tree->cli->arena);
	const char *path =
		arena_cstr(tree->cli->arena, arena_printf(tree->cli->arena, "%s/%s/%s", tree->root,
							  STAGING_NAME, name));
	(void)files_remove_tree(path); /* what stays goes when the export ends */
	arena_rewind(tree->cli->arena, mark);
}

void export_tree_drop(struct export_tree *tree, int fd)
{
	char name[16];
	(void)close(fd); /* only a handle */
	staged_name(tree, name);
	remove_staged(tree, name);
}

/* What was at the target is afterwards the staged one, or nothing is there. */
static bool exchange(struct export_tree *tree, const char *name, const char *target)
{
	char old_name[32];
	if (renameat2(tree->staging_fd, name, tree->root_fd, target, RENAME_NOREPLACE) == 0 ||
	    renameat2(tree->staging_fd, name, tree->root_fd, target, RENAME_EXCHANGE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS && errno != ENOENT)
		return false;
	/* A file system that cannot exchange. */
	(void)snprintf(old_name, sizeof(old_name), "%s.old", name);
	if (renameat(tree->root_fd, target, tree->staging_fd, old_name) != 0 && errno != ENOENT)
		return false;
	return renameat(tree->staging_fd, name, tree->root_fd, target) == 0;
}

bool export_tree_flush(struct export_tree *tree, struct error *err)
{
	if (tree->pending_count > 0 && syncfs(tree->root_fd) != 0)
		return cli_fail_file(err, "write", tree->root);
	for (size_t i = 0; i < tree->pending_count; i++) {
		const char *target = tree->pending[i].target;
		if (!exchange(tree, tree->pending[i].name, target))
			return cli_fail_file(err, "write", path_of(tree, target));
		remove_staged(tree, tree->pending[i].name);
	}
	while (tree->pending_count > 0)
		free(tree->pending[--tree->pending_count].target);
	return true;
}

enum export_state export_tree_state(const struct export_tree *tree, const char *target,
				    const char *digest)
{
	char path[PATH_BYTES_MAX], there[SHA256_HEX_LEN + 1] = "";
	if (!export_tree_has(tree, target))
		return EXPORT_MISSING;
	(void)snprintf(path, sizeof(path), "%s/%s", target, MARK_NAME);
	int fd = openat(tree->root_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return EXPORT_FOREIGN;
	ssize_t len = read(fd, there, SHA256_HEX_LEN);
	(void)close(fd); /* only read */
	return len == SHA256_HEX_LEN && strcmp(there, digest) == 0 ? EXPORT_SAME : EXPORT_CHANGED;
}

/* ---- the tree itself ------------------------------------------------------------------------- */

bool export_tree_has(const struct export_tree *tree, const char *path)
{
	struct stat info;
	return tree->root_fd >= 0 && fstatat(tree->root_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

bool export_tree_folder(struct export_tree *tree, const char *path, struct error *err)
{
	const char *name;
	int parent = download_open_folder(tree->root_fd, path, &name, err);
	if (parent < 0)
		return false;
	int fd = export_folder_make(parent, name, err);
	(void)close(parent); /* only a handle */
	if (fd >= 0)
		(void)close(fd); /* only a handle */
	return fd >= 0;
}

bool export_tree_replace(struct export_tree *tree, const char *path, struct slice content,
			 struct error *err)
{
	const char *name;
	struct slice there;
	struct error ignored;
	int folder = download_open_folder(tree->root_fd, path, &name, err);
	if (folder < 0)
		return false;
	struct arena_mark mark = arena_mark(tree->cli->arena);
	bool ok = files_read(folder, name, content.len, tree->cli->arena, &there, &ignored) &&
		  slice_eq(there, content);
	arena_rewind(tree->cli->arena, mark);
	if (!ok) {
		(void)unlinkat(folder, NEW_NAME, 0); /* of an export that was killed */
		ok = export_file_write(folder, NEW_NAME, content, err);
		if (ok && renameat(folder, NEW_NAME, folder, name) != 0)
			ok = cli_fail_file(err, "write", path);
	}
	(void)close(folder); /* only a handle */
	return ok;
}

bool export_tree_move(struct export_tree *tree, const char *from, const char *to, struct error *err)
{
	if (renameat2(tree->root_fd, from, tree->root_fd, to, RENAME_NOREPLACE) == 0 ||
	    (errno == EINVAL && renameat(tree->root_fd, from, tree->root_fd, to) == 0) ||
	    errno == ENOENT)
		return true;
	return cli_fail_file(err, "move", path_of(tree, from));
}

bool export_tree_mark(struct export_tree *tree, const char *path, struct error *err)
{
	struct arena *arena = tree->cli->arena;
	return export_tree_replace(tree,
				   arena_cstr(arena, arena_printf(arena, "%s/" MARK_NAME, path)),
				   SLICE(""), err);
}

/* ---- in a folder ----------------------------------------------------------------------------- */

int export_folder_make(int folder_fd, const char *name, struct error *err)
{
	int fd = -1;
	if (mkdirat(folder_fd, name, 0777) == 0 || errno == EEXIST)
		fd = openat(folder_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		(void)cli_fail_file(err, "make the folder", name);
	return fd;
}

const char *export_name_fault(struct slice name)
{
	if (name.len == 0 || slice_eq_cstr(name, ".") || slice_eq_cstr(name, ".."))
		return "is no name of a file";
	if (name.len > NAME_BYTES_MAX)
		return "is too long for the name of a file";
	if (memchr(name.ptr, '/', name.len) != NULL || memchr(name.ptr, '\0', name.len) != NULL)
		return "holds a character that no file may have in its name";
	return NULL;
}

/* Is a file where a folder is needed, or a folder where the file is to be? */
static bool is_blocked(int folder_fd, const char *path)
{
	char prefix[PATH_BYTES_MAX];
	struct stat info;
	for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		(void)snprintf(prefix, sizeof(prefix), "%.*s", (int)(slash - path), path);
		if (fstatat(folder_fd, prefix, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
		    !S_ISDIR(info.st_mode))
			return true;
	}
	return fstatat(folder_fd, path, &info, AT_SYMLINK_NOFOLLOW) == 0;
}

static const char *key_fault(struct slice key)
{
	struct slice rest = key, segment;
	const char *fault = key.len < PATH_BYTES_MAX ? NULL : "is too long for a path";
	while (fault == NULL && slice_next(&rest, '/', &segment))
		fault = export_name_fault(segment);
	return fault;
}

int export_key_create(int folder_fd, struct slice key, const char **fault_out, struct error *err)
{
	char path[PATH_BYTES_MAX];
	const char *name;
	*fault_out = key_fault(key);
	if (*fault_out != NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%.*s", SLICE_FMT(key));
	if (is_blocked(folder_fd, path)) {
		*fault_out = "cannot be a file beside a folder of the same name";
		return -1;
	}
	int parent = download_open_folder(folder_fd, path, &name, err);
	if (parent < 0)
		return -1;
	int fd = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		(void)cli_fail_file(err, "make the file", path);
	(void)close(parent); /* only a handle */
	return fd;
}

bool export_file_write(int folder_fd, const char *name, struct slice content, struct error *err)
{
	int fd =
		openat(folder_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return cli_fail_file(err, "make the file", name);
	bool ok = export_write(fd, name, content, err);
	if (close(fd) != 0 && ok)
		ok = cli_fail_file(err, "write", name);
	return ok;
}

bool export_write(int fd, const char *name, struct slice bytes, struct error *err)
{
	return files_write_all(fd, bytes) || cli_fail_file(err, "write", name);
}
