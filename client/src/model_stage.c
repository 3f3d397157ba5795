/* Owns the download of a model version into a deployment's directory. */
#include "src/model_stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "src/deploy_fault.h"
#include "src/file_tree.h"
#include "src/files.h"
#include "src/status.h"

const char *model_stage_name(const char *tree_sha256, char name[MODEL_STAGE_NAME_BYTES])
{
	(void)snprintf(name, MODEL_STAGE_NAME_BYTES, "staging-%s", tree_sha256);
	return name;
}

/* Bytes of the files that an earlier attempt left. */
static int64_t bytes_in(int fd, const struct file_tree *tree)
{
	int64_t bytes = 0;
	for (size_t i = 0; i < tree->count; i++) {
		struct stat info;
		if (fstatat(fd, tree->paths_or_null[i], &info, AT_SYMLINK_NOFOLLOW) == 0)
			bytes += info.st_size;
	}
	return bytes;
}

static bool check_space(const struct deploy_directory *d, int fd, const struct manifest *manifest,
			struct error *err)
{
	struct file_tree tree;
	struct statvfs disk;
	if (!file_tree_list(fd, d->path, &tree, err))
		return false;
	int64_t needed = manifest->bytes - bytes_in(fd, &tree);
	file_tree_deinit(&tree);
	if (fstatvfs(fd, &disk) != 0)
		return status_local_error(err, "ask for the free space of", d->path);
	uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (needed <= 0 || (uint64_t)needed <= room)
		return true;
	return error_set(err, ERR_STORAGE_FULL,
			 "%s: the version needs %.1f MiB more, and %.1f MiB are free", d->path,
			 (double)needed / 1048576, (double)room / 1048576);
}

/* Exactly the files of the manifest? Where a file system folds the case of names, two of them may have
 * become one. */
static bool check_files(const struct deploy_directory *d, int fd, const struct manifest *manifest,
			struct error *err)
{
	struct file_tree tree;
	if (!file_tree_list(fd, d->path, &tree, err))
		return false;
	bool is_same = tree.count == manifest->count;
	for (size_t i = 0; i < tree.count && is_same; i++)
		is_same = strcmp(tree.paths_or_null[i], manifest->files[i].path) == 0;
	file_tree_deinit(&tree);
	return is_same ||
	       error_set(err, ERR_DATA_LOSS,
			 "the files of the version cannot lie beside each other in %s", d->path);
}

bool model_stage_fill(const struct deploy_directory *d, const struct fetcher *f,
		      const struct manifest *manifest,
		      void (*moved)(void *context, int64_t done, int64_t skipped), void *context,
		      struct error *err)
{
	char staging[MODEL_STAGE_NAME_BYTES], path[DEPLOY_PATH_BYTES];
	(void)model_stage_name(manifest->tree_sha256, staging);
	(void)deploy_directory_admin(d, staging, path);
	int fd = mkdirat(d->admin_fd, staging, 0777) != 0 && errno != EEXIST
			 ? -1
			 : openat(d->admin_fd, staging,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return status_local_error(err, "make a folder for the download in", d->path);
	DEPLOY_FAULT("staging");
	struct download download = {
		.fetcher = f,
		.root_fd = fd,
		.root = d->path,
		.source = manifest->base,
		.moved = moved,
		.context = context,
	};
	bool ok = check_space(d, fd, manifest, err) && download_tree(&download, manifest, err);
	DEPLOY_FAULT("downloaded");
	if (ok && !check_files(d, fd, manifest, err)) {
		(void)files_remove_tree(path); /* else swept by the next one */
		ok = false;
	}
	(void)close(fd); /* only a handle */
	if (ok && !files_sync_folders(path))
		ok = status_local_error(err, "write", path);
	DEPLOY_FAULT("synced");
	return ok;
}
