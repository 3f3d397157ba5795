/* Owns "trk artifacts ls", "get" and "put". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/lookup.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "cli/upload.h"
#include "src/download.h"

static struct slice join(struct cli *cli, struct slice root, const char *path_or_null)
{
	struct slice path = slice_from_cstr(path_or_null != NULL ? path_or_null : "");
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path.len == 0
		       ? root
		       : arena_printf(cli->arena, "%.*s/%.*s", SLICE_FMT(root), SLICE_FMT(path));
}

/* ---- ls -------------------------------------------------------------------------------------- */

struct entry {
	struct slice path; /* from the top of the run's artifacts */
	int64_t bytes;
	bool is_directory;
	const char *sha256_or_null;
	int64_t modified_ms;
};

/* All files below a path. */
static bool list_tree(struct cli *cli, struct slice run_id, const char *path_or_null,
		      struct entry **entries, size_t *count, struct error *err)
{
	struct manifest manifest;
	struct slice root;
	if (!lookup_artifact_root(cli, run_id, &root, err) ||
	    !manifest_load(&cli->fetcher, cli->arena, join(cli, root, path_or_null), &manifest,
			   err))
		return false;
	struct slice prefix = slice_from(manifest.base, root.len + 1);
	*count = manifest.count;
	*entries = ARENA_NEW(cli->arena, struct entry, manifest.count + 1);
	for (size_t i = 0; i < manifest.count; i++) {
		const struct manifest_file *file = &manifest.files[i];
		(*entries)[i] = (struct entry){
			.path = arena_printf(cli->arena, "%.*s%s%s", SLICE_FMT(prefix),
					     prefix.len > 0 ? "/" : "", file->path),
			.bytes = file->bytes,
			.sha256_or_null = file->sha256,
			.modified_ms = file->modified_ms,
		};
	}
	return true;
}

/* The entries of one folder, or the one file at that path: listings are of folders only. */
static bool list_folder(struct cli *cli, struct slice run_id, const char *path_or_null,
			struct entry **entries, size_t *count, struct error *err)
{
	struct json_value *reply;
	struct slice path = join(cli, SLICE(""), path_or_null);
	path = slice_from(path, path.len > 0 ? 1 : 0);
	if (!cli_get(cli, &reply, err, "/api/2.0/mlflow/artifacts/list?run_id=%s%s%s",
		     cli_encode(cli, run_id), path.len > 0 ? "&path=" : "", cli_encode(cli, path)))
		return false;
	const struct json_value *files = json_tree_get(reply, "files"), *item = json_items(files);
	*entries =
		ARENA_NEW(cli->arena, struct entry, (files == NULL ? 0 : files->child_count) + 1);
	for (*count = 0; item != NULL; item = item->next_sibling_or_null) {
		(*entries)[(*count)++] = (struct entry){
			.path = json_text(item, "path"),
			.is_directory = json_tree_bool(json_tree_get(item, "is_dir"), false),
			.bytes = json_tree_i64(json_tree_get(item, "file_size"), 0),
		};
	}
	return *count > 0 || path.len == 0 ||
	       list_tree(cli, run_id, path_or_null, entries, count, err);
}

static bool print_json(struct cli *cli, struct slice run_id, const struct entry *entries,
		       size_t count, struct error *err)
{
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "run_id", run_id);
	json_key(w, "files");
	json_array_begin(w);
	for (size_t i = 0; i < count; i++) {
		json_object_begin(w);
		json_put_string(w, "path", entries[i].path);
		json_put_bool(w, "is_directory", entries[i].is_directory);
		if (!entries[i].is_directory)
			json_put_int(w, "bytes", entries[i].bytes);
		json_put_cstr(w, "sha256", entries[i].sha256_or_null);
		if (entries[i].modified_ms != 0)
			json_put_int(w, "modified_ms", entries[i].modified_ms);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
	return cli_print_json(cli, err);
}

static void print_long(struct cli *cli, const struct entry *entries, size_t count)
{
	struct table table;
	bool has_digests = count > 0 && entries[0].sha256_or_null != NULL;
	table_init(&table, cli->arena);
	table_column(&table, SLICE("SIZE"), TABLE_RIGHT | TABLE_WHOLE);
	if (has_digests) {
		table_column(&table, SLICE("MODIFIED"), TABLE_WHOLE);
		table_column(&table, SLICE("SHA-256"), TABLE_ID);
	}
	table_column(&table, SLICE("PATH"), TABLE_WHOLE);
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		table_cell(&table,
			   e->is_directory ? SLICE("-") : format_bytes(cli->arena, e->bytes));
		if (has_digests) {
			table_cell(&table, format_time(cli->arena, e->modified_ms));
			table_styled_cell(&table, slice_from_cstr(e->sha256_or_null), STYLE_DIM);
		}
		table_styled_cell(&table,
				  arena_printf(cli->arena, "%.*s%s", SLICE_FMT(e->path),
					       e->is_directory ? "/" : ""),
				  e->is_directory ? STYLE_CYAN : STYLE_PLAIN);
	}
	(void)table_print(&table, stdout, 0); /* no column may be left out */
}

bool artifacts_ls(struct cli *cli, struct error *err)
{
	struct entry *entries;
	struct slice run_id;
	size_t count;
	bool is_tree = cli_flag(cli, "recursive");
	if (!lookup_run(cli, cli_word(cli, 0), &run_id, err) ||
	    !(is_tree ? list_tree : list_folder)(cli, run_id, cli_word(cli, 1), &entries, &count,
						 err))
		return false;
	if (cli->json)
		return print_json(cli, run_id, entries, count, err);
	if (cli_flag(cli, "long")) {
		print_long(cli, entries, count);
		return true;
	}
	for (size_t i = 0; i < count; i++) {
		terminal_print(stdout, cli->arena,
			       entries[i].is_directory ? STYLE_CYAN : STYLE_PLAIN, entries[i].path);
		(void)puts(entries[i].is_directory ? "/" : "");
	}
	return true;
}

/* ---- get ------------------------------------------------------------------------------------- */

static int open_target(const char *path, struct error *err)
{
	if (mkdir(path, 0777) != 0 && errno != EEXIST) {
		(void)cli_fail_file(err, "make the directory", path);
		return -1;
	}
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		(void)cli_fail_file(err, "open the directory", path);
	return fd;
}

static bool report(struct cli *cli, const char *target, const struct manifest *m,
		   const struct download *d, struct error *err)
{
	if (d->resumed_bytes > 0)
		cli_say(cli, "Went on with a broken download: %.*s were here.",
			SLICE_FMT(format_bytes(cli->arena, d->resumed_bytes)));
	if (!cli->json) {
		cli_say(cli, "%.*s, %.*s, every SHA-256 verified%s, in %s",
			SLICE_FMT(format_count(cli->arena, (int64_t)m->count, "file")),
			SLICE_FMT(format_bytes(cli->arena, m->bytes)),
			d->skipped_count == m->count ? " (all were here already)" : "", target);
		return true;
	}
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_cstr(w, "directory", target);
	json_put_int(w, "file_count", (int64_t)m->count);
	json_put_int(w, "byte_count", m->bytes);
	json_put_int(w, "skipped_count", (int64_t)d->skipped_count);
	json_put_int(w, "resumed_bytes", d->resumed_bytes);
	json_put_cstr(w, "tree_sha256", m->tree_sha256);
	json_object_end(w);
	return cli_print_json(cli, err);
}

/* Everything of the manifest into an existing or new directory; what else is there stays. */
static bool get_into(struct cli *cli, const char *target, const struct manifest *m,
		     struct error *err)
{
	struct progress progress;
	struct download d = {.fetcher = &cli->fetcher,
			     .root = target,
			     .source = m->base,
			     .moved = progress_moved,
			     .context = &progress};
	if ((d.root_fd = open_target(target, err)) < 0)
		return false;
	progress_begin(&progress, cli, "downloading", m->bytes);
	bool ok = download_tree(&d, m, err);
	progress_end(&progress);
	(void)close(d.root_fd); /* only a handle */
	if (!ok && (err->code == ERR_TEMPORARILY_UNAVAILABLE || err->code == ERR_CANCELLED ||
		    err->code == ERR_REQUEST_TIMEOUT))
		cli_say(cli, "What has arrived is kept; the same command goes on with it.");
	return ok && report(cli, target, m, &d, err);
}

bool artifacts_get(struct cli *cli, struct error *err)
{
	struct manifest manifest;
	struct slice run_id, root;
	return lookup_run(cli, cli_word(cli, 0), &run_id, err) &&
	       lookup_artifact_root(cli, run_id, &root, err) &&
	       manifest_load(&cli->fetcher, cli->arena, join(cli, root, cli_word(cli, 1)),
			     &manifest, err) &&
	       get_into(cli, cli_option(cli, "to", "."), &manifest, err);
}

/* ---- put ------------------------------------------------------------------------------------- */

bool artifacts_put(struct cli *cli, struct error *err)
{
	return upload_and_print(cli, cli_word(cli, 0), cli_word(cli, 1), cli_word(cli, 2), err);
}
