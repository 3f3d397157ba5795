/* Owns the sending of files and directories. */
#include "cli/upload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/lookup.h"
#include "cli/progress.h"
#include "src/file_tree.h"
#include "src/tar_writer.h"

/* ---- the tarball of a directory -------------------------------------------------------------- */

static bool add_member(struct tar_writer *w, int root_fd, const char *path,
		       struct upload_result *out, struct error *err)
{
	struct stat info;
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
		if (fd >= 0)
			(void)close(fd);
		return cli_fail_file(err, "read", path);
	}
	bool ok = tar_writer_add(w, path, fd, info.st_size, err);
	(void)close(fd); /* only read */
	out->files++;
	out->bytes += info.st_size;
	return ok;
}

static bool write_tar(int root_fd, const struct file_tree *tree, int tar_fd,
		      struct tar_result *result, struct upload_result *out, struct error *err)
{
	struct tar_writer w;
	if (!tar_writer_init(&w, tar_fd, err))
		return false;
	bool ok = true;
	for (size_t i = 0; i < tree->count && ok; i++)
		ok = cli_is_interrupted()
			     ? cli_fail_interrupted(err)
			     : add_member(&w, root_fd, tree->paths_or_null[i], out, err);
	ok = ok && tar_writer_finish(&w, result, err);
	tar_writer_deinit(&w);
	return ok;
}

static bool pack(const char *local, int tar_fd, struct tar_result *result,
		 struct upload_result *out, struct error *err)
{
	struct file_tree tree = {0};
	int root_fd = open(local, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return cli_fail_file(err, "open", local);
	bool ok = file_tree_list(root_fd, local, &tree, err);
	if (ok && tree.count == 0)
		ok = error_set(err, ERR_INVALID_PARAMETER_VALUE,
			       "the directory \"%s\" holds no files", local);
	ok = ok && write_tar(root_fd, &tree, tar_fd, result, out, err);
	file_tree_deinit(&tree);
	(void)close(root_fd); /* only read */
	return ok;
}

/* ---- sending --------------------------------------------------------------------------------- */

static void on_progress(void *context, int64_t bytes)
{
	progress_set(context, bytes);
}

static bool send(struct cli *cli, struct slice url_path, int fd, int64_t bytes, const char *sha256,
		 struct json_value **reply, char etag[API_ETAG_BYTES], struct error *err)
{
	struct progress progress;
	struct api *api;
	if (!cli_api(cli, &api, err))
		return false;
	progress_begin(&progress, cli, "uploading", bytes);
	const struct api_upload request = {
		.path = url_path,
		.fd = fd,
		.bytes = bytes,
		.sha256 = sha256,
		.progress = on_progress,
		.context = &progress,
		.etag_out = etag,
	};
	bool ok = api_upload(api, &request, cli->arena, reply, err);
	progress_end(&progress);
	return ok;
}

static struct slice proxy_path(struct cli *cli, const char *endpoint, struct slice root,
			       struct slice path)
{
	return arena_printf(cli->arena, "%s%s%s%s%s", endpoint, cli_encode_path(cli, root),
			    path.len > 0 ? "/" : "", cli_encode_path(cli, path),
			    cli_flag(cli, "force") ? "?force=true" : "");
}

static bool fail_different(const char *local, struct error *err)
{
	return error_set(err, ERR_DATA_LOSS, "the server stored other bytes than \"%s\" has",
			 local);
}

static bool send_directory(struct cli *cli, struct slice root, const char *local,
			   struct upload_result *out, struct error *err)
{
	struct json_value *reply;
	struct tar_result tar;
	char etag[API_ETAG_BYTES];
	int fd = cli_open_temporary(cli, err);
	if (fd < 0)
		return false;
	bool ok = pack(local, fd, &tar, out, err) &&
		  send(cli, proxy_path(cli, "/api/trackerd/v1/archive/", root, out->path), fd,
		       tar.bytes, tar.sha256, &reply, etag, err);
	(void)close(fd); /* temporary */
	if (!ok)
		return false;
	if (!slice_eq_cstr(json_text(reply, "sha256"), tar.sha256) ||
	    !slice_eq_cstr(json_text(reply, "tree_sha256"), tar.tree_sha256))
		return fail_different(local, err);
	memcpy(out->sha256, tar.tree_sha256, sizeof(out->sha256));
	return true;
}

static bool send_file(struct cli *cli, struct slice root, const char *local, int fd,
		      struct upload_result *out, struct error *err)
{
	struct json_value *reply;
	char etag[API_ETAG_BYTES];
	out->files = 1;
	if (!sha256_of_file(fd, local, out->sha256, &out->bytes, err) ||
	    !send(cli, proxy_path(cli, "/api/2.0/mlflow-artifacts/artifacts/", root, out->path), fd,
		  out->bytes, out->sha256, &reply, etag, err))
		return false;
	/* A server that gives no digest verified the one it was sent. */
	return strlen(etag) != SHA256_HEX_LEN || strcmp(etag, out->sha256) == 0 ||
	       fail_different(local, err);
}

/* The last segment of a local path. */
static struct slice name_of(const char *local)
{
	struct slice path = slice_from_cstr(local);
	while (path.len > 1 && path.ptr[path.len - 1] == '/')
		path.len--;
	for (size_t i = path.len; i > 0; i--) {
		if (path.ptr[i - 1] == '/')
			return slice_from(path, i);
	}
	return path;
}

static struct slice target_path(struct cli *cli, const char *local, const char *target_or_null,
				bool is_directory)
{
	if (target_or_null == NULL)
		return name_of(local);
	struct slice target = slice_from_cstr(target_or_null);
	if (!is_directory && (target.len == 0 || target.ptr[target.len - 1] == '/'))
		target = arena_concat(cli->arena, target, name_of(local));
	while (target.len > 0 && target.ptr[target.len - 1] == '/')
		target.len--;
	return slice_eq_cstr(target, ".") ? SLICE("") : target;
}

bool upload(struct cli *cli, struct slice run_id, const char *local, const char *target_or_null,
	    struct upload_result *out, struct error *err)
{
	struct slice root;
	struct stat info;
	*out = (struct upload_result){0};
	int fd = open(local, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cli_fail_file(err, "read", local);
	bool ok = fstat(fd, &info) == 0 || cli_fail_file(err, "read", local);
	if (ok && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
		ok = error_set(err, ERR_INVALID_PARAMETER_VALUE,
			       "\"%s\" is neither a file nor a directory", local);
	if (ok) {
		out->is_directory = S_ISDIR(info.st_mode);
		out->path = target_path(cli, local, target_or_null, out->is_directory);
		if (slice_eq_cstr(out->path, ".") || slice_eq_cstr(out->path, ".."))
			out->path = SLICE("");
		ok = lookup_artifact_root(cli, run_id, &root, err) &&
		     (out->is_directory ? send_directory(cli, root, local, out, err)
					: send_file(cli, root, local, fd, out, err));
	}
	(void)close(fd); /* only read */
	return ok;
}

bool upload_and_print(struct cli *cli, const char *run, const char *local,
		      const char *target_or_null, struct error *err)
{
	struct upload_result result;
	struct slice run_id;
	if (!lookup_run(cli, run, &run_id, err) ||
	    !upload(cli, run_id, local, target_or_null, &result, err))
		return false;
	if (!cli->json) {
		cli_print_line(cli, result.path.len > 0 ? result.path : SLICE("."));
		cli_say(cli, "%.*s, %.*s, %s %s",
			SLICE_FMT(format_count(cli->arena, result.files, "file")),
			SLICE_FMT(format_bytes(cli->arena, result.bytes)),
			result.is_directory ? "tree SHA-256" : "SHA-256", result.sha256);
		return true;
	}
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id);
	json_put_string(w, "path", result.path);
	json_put_bool(w, "is_directory", result.is_directory);
	json_put_int(w, "file_count", result.files);
	json_put_int(w, "byte_count", result.bytes);
	json_put_cstr(w, result.is_directory ? "tree_sha256" : "sha256", result.sha256);
	json_object_end(w);
	return cli_print_json(cli, err);
}
