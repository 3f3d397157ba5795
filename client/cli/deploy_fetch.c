/* Owns the way of a model version into the directory of a deployment. */
#include "cli/deploy_fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/deploy_fault.h"
#include "cli/download.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/model_ref.h"
#include "src/file_tree.h"

enum { NAME_MODEL_BYTES = 80, NAME_DIGEST_BYTES = 16 };

/* ---- what it is ------------------------------------------------------------------------------ */

/* ASCII letters, digits, '.', '_', '-'; the first is none of the last two, nor '.'. */
static struct slice safe_name(struct arena *arena, struct slice text)
{
	struct slice cut = slice_first(text, NAME_MODEL_BYTES);
	char *out = ARENA_NEW(arena, char, cut.len + 1);
	for (size_t i = 0; i < cut.len; i++) {
		char c = cut.ptr[i];
		bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
				(c >= '0' && c <= '9') || c == '_' ||
				(i > 0 && (c == '.' || c == '-'));
		out[i] = c;
		if (!is_plain)
			out[i] = '_';
	}
	return slice_make(out, cut.len);
}

bool deploy_source_resolve(struct cli *cli, const char *text, struct deploy_source *out,
			   struct error *err)
{
	const struct json_value *version;
	struct slice path;
	if (!model_ref_resolve(cli, text, &version, err) ||
	    !model_ref_path(cli, version, &path, err) ||
	    !manifest_load(cli, path, &out->manifest, err) ||
	    !model_ref_check_digest(version, out->manifest.tree_sha256, err))
		return false;
	if (out->manifest.count == 0)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "%s holds no files", text);
	struct slice model = json_text(version, "name"), number = json_text(version, "version");
	struct slice name =
		arena_printf(cli->arena, "%.*s-v%.*s-%.*s", SLICE_FMT(safe_name(cli->arena, model)),
			     SLICE_FMT(safe_name(cli->arena, number)), NAME_DIGEST_BYTES,
			     out->manifest.tree_sha256);
	out->version = (struct deploy_version){
		.name = arena_cstr(cli->arena, name),
		.model = arena_cstr(cli->arena, model),
		.version = arena_cstr(cli->arena, number),
		.tree_sha256 = out->manifest.tree_sha256,
		.file_count = (int64_t)out->manifest.count,
		.byte_count = out->manifest.bytes,
	};
	return true;
}

/* ---- the download ---------------------------------------------------------------------------- */

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

static bool check_space(struct deployment *d, int fd, const struct manifest *manifest,
			struct error *err)
{
	struct arena *arena = d->cli->arena;
	struct file_tree tree;
	struct statvfs disk;
	if (!file_tree_list(fd, d->directory.path, &tree, err))
		return false;
	int64_t needed = manifest->bytes - bytes_in(fd, &tree);
	file_tree_deinit(&tree);
	if (fstatvfs(fd, &disk) != 0)
		return cli_fail_file(err, "ask for the free space of", d->directory.path);
	uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (needed <= 0 || (uint64_t)needed <= room)
		return true;
	return error_set(err, ERR_STORAGE_FULL,
			 "%s: the version needs %.*s more, and %.*s are free", d->directory.path,
			 SLICE_FMT(format_bytes(arena, needed)),
			 SLICE_FMT(format_bytes(arena, (int64_t)room)));
}

/* Exactly the files of the manifest? Where a file system folds the case of names, two of them may have
 * become one. */
static bool check_files(struct deployment *d, int fd, const struct manifest *manifest,
			struct error *err)
{
	struct file_tree tree;
	if (!file_tree_list(fd, d->directory.path, &tree, err))
		return false;
	bool is_same = tree.count == manifest->count;
	for (size_t i = 0; i < tree.count && is_same; i++)
		is_same = strcmp(tree.paths_or_null[i], manifest->files[i].path) == 0;
	file_tree_deinit(&tree);
	return is_same || error_set(err, ERR_DATA_LOSS,
				    "the files of the version cannot lie beside each other in %s",
				    d->directory.path);
}

static bool fill(struct deployment *d, int fd, const struct manifest *manifest, struct error *err)
{
	struct progress progress;
	struct download download = {
		.cli = d->cli,
		.root_fd = fd,
		.root = d->directory.path,
		.source = manifest->base,
		.progress = &progress,
	};
	if (!check_space(d, fd, manifest, err) || !cli_api(d->cli, &download.api, err))
		return false;
	progress_begin(&progress, d->cli, "downloading", manifest->bytes);
	bool ok = download_tree(&download, manifest, err);
	progress_end(&progress);
	return ok;
}

static bool stage(struct deployment *d, const char *staging, const struct manifest *manifest,
		  struct error *err)
{
	const struct deploy_directory *dir = &d->directory;
	const char *path = deploy_directory_admin(dir, staging);
	int fd = mkdirat(dir->admin_fd, staging, 0777) != 0 && errno != EEXIST
			 ? -1
			 : openat(dir->admin_fd, staging,
				  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return cli_fail_file(err, "make a folder for the download in", dir->path);
	DEPLOY_FAULT("staging");
	bool ok = fill(d, fd, manifest, err);
	DEPLOY_FAULT("downloaded");
	if (ok && !check_files(d, fd, manifest, err)) {
		(void)files_remove_tree(path); /* else swept by the next one */
		ok = false;
	}
	(void)close(fd); /* only a handle */
	if (ok && !files_sync_folders(path))
		ok = cli_fail_file(err, "write", path);
	DEPLOY_FAULT("synced");
	return ok;
}

bool deploy_fetch(struct deployment *d, const struct deploy_source *source, bool *is_fetched_out,
		  struct error *err)
{
	const struct deploy_version *version = &source->version;
	const char *staging = arena_cstr(
		d->cli->arena, arena_printf(d->cli->arena, "staging-%s", version->tree_sha256));
	*is_fetched_out =
		!deploy_directory_holds(&d->directory, version->name, version->tree_sha256);
	deploy_directory_sweep(&d->directory, *is_fetched_out ? staging : "");
	if (*is_fetched_out && !stage(d, staging, &source->manifest, err))
		return false;
	/* Known first, so that nothing is in versions/ that later ones would not tidy away. */
	deploy_state_put(d->cli->arena, &d->state, version);
	if (!deploy_state_save(&d->directory, &d->state, err))
		return false;
	DEPLOY_FAULT("recorded");
	if (*is_fetched_out && !deploy_directory_place(&d->directory, staging, version->name, err))
		return false;
	DEPLOY_FAULT("placed");
	return true;
}
