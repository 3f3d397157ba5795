/* Owns "trk models get": a model version into a directory, whole and verified or not at all. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "cli/directory_swap.h"
#include "cli/download.h"
#include "cli/files.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/manifest.h"
#include "cli/model_ref.h"
#include "src/file_tree.h"

/* ---- what is there --------------------------------------------------------------------------- */

static bool hash_member(int root_fd, const char *path, struct sha256 *tree, struct error *err)
{
	char hex[SHA256_HEX_LEN + 1];
	int64_t bytes;
	int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return cli_fail_file(err, "read", path);
	bool ok = sha256_of_file(fd, path, hex, &bytes, err);
	(void)close(fd); /* only read */
	return ok && sha256_update(tree, slice_make(hex, SHA256_HEX_LEN), err) &&
	       sha256_update(tree, SLICE("  "), err) &&
	       sha256_update(tree, slice_from_cstr(path), err) &&
	       sha256_update(tree, SLICE("\n"), err);
}

/* The digest of a local tree, as the server computes it; "" if it holds no files or cannot be
 * read. */
static void local_digest(const char *path, char digest[SHA256_HEX_LEN + 1])
{
	struct file_tree tree = {0};
	struct sha256 h;
	struct error ignored;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	digest[0] = '\0';
	if (fd < 0)
		return;
	if (file_tree_list(fd, path, &tree, &ignored) && tree.count > 0 &&
	    sha256_init(&h, &ignored)) {
		bool ok = true;
		for (size_t i = 0; i < tree.count && ok && !cli_is_interrupted(); i++)
			ok = hash_member(fd, tree.paths_or_null[i], &h, &ignored);
		if (!ok || !sha256_finish(&h, digest, &ignored))
			digest[0] = '\0';
		sha256_deinit(&h);
	}
	file_tree_deinit(&tree);
	(void)close(fd); /* only read */
}

/* Is the old tree a version of this model as it was registered, which can be had again? Then it
 * need not be kept. */
static bool is_known_version(struct cli *cli, struct slice name, const char *digest)
{
	struct json_value *reply;
	struct error ignored;
	bool has_quote = slice_find_byte(name, '\'', 0) < name.len;
	struct slice filter = arena_printf(
		cli->arena, has_quote ? "name = \"%.*s\"" : "name = '%.*s'", SLICE_FMT(name));
	if (digest[0] == '\0' ||
	    !cli_get(cli, &reply, &ignored,
		     "/api/2.0/mlflow/model-versions/search?max_results=10000&filter=%s",
		     cli_encode(cli, filter)))
		return false;
	const struct json_value *version = json_items(json_tree_get(reply, "model_versions"));
	while (version != NULL && !slice_eq_cstr(model_tag(version, MODEL_TREE_TAG), digest))
		version = version->next_sibling_or_null;
	return version != NULL;
}

/* ---- getting --------------------------------------------------------------------------------- */

struct model_get {
	struct cli *cli;
	const struct json_value *version;
	struct manifest manifest;
	const char *target;
	char old_digest[SHA256_HEX_LEN + 1]; /* of the tree at the target; "" for none */
	bool is_changed;
	const char *kept_or_null;
};

/* The digest that was registered must be the one that the server would deliver now. */
static bool check_digest(const struct model_get *g, struct error *err)
{
	struct slice registered = model_tag(g->version, MODEL_TREE_TAG);
	if (!slice_is_present(registered) || slice_eq_cstr(registered, g->manifest.tree_sha256))
		return true;
	return error_set(err, ERR_DATA_LOSS,
			 "the files have changed since the version was registered: its tree had "
			 "SHA-256 %.*s, "
			 "now it has %s; nothing was written",
			 SLICE_FMT(registered), g->manifest.tree_sha256);
}

static bool fill(struct model_get *g, const struct directory_swap *swap, struct error *err)
{
	struct progress progress;
	struct download d = {
		.cli = g->cli,
		.root_fd = swap->new_fd,
		.root = g->target,
		.source = g->manifest.base,
		.progress = &progress,
	};
	if (!cli_api(g->cli, &d.api, err))
		return false;
	progress_begin(&progress, g->cli, "downloading", g->manifest.bytes);
	bool ok = download_tree(&d, &g->manifest, err);
	progress_end(&progress);
	return ok;
}

static bool replace(struct model_get *g, struct error *err)
{
	struct directory_swap swap;
	if (!directory_swap_begin(g->cli, g->target, &swap, err))
		return false;
	if (!fill(g, &swap, err)) {
		directory_swap_abandon(g->cli, &swap);
		return error_prefix(err, "%s stays as it was", g->target);
	}
	bool keep_old = swap.had_target && !cli_flag(g->cli, "force") &&
			!is_known_version(g->cli, json_text(g->version, "name"), g->old_digest) &&
			!files_is_empty_folder(swap.target);
	g->is_changed = true;
	return directory_swap_commit(g->cli, &swap, keep_old, &g->kept_or_null, err);
}

static bool print_result(const struct model_get *g, struct error *err)
{
	struct cli *cli = g->cli;
	if (!cli->json) {
		(void)printf("%s\n", g->target);
		cli_say(cli, "%.*s version %.*s: %.*s, %.*s, every SHA-256 verified%s",
			SLICE_FMT(json_text(g->version, "name")),
			SLICE_FMT(json_text(g->version, "version")),
			SLICE_FMT(format_count(cli->arena, (int64_t)g->manifest.count, "file")),
			SLICE_FMT(format_bytes(cli->arena, g->manifest.bytes)),
			g->is_changed ? "" : " (it was here already)");
		if (g->kept_or_null != NULL)
			cli_say(cli,
				"What was there is no version of this model, so it was kept: %s",
				g->kept_or_null);
		return true;
	}
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	json_put_string(w, "name", json_text(g->version, "name"));
	json_put_string(w, "version", json_text(g->version, "version"));
	json_put_string(w, "run_id", json_text(g->version, "run_id"));
	json_put_cstr(w, "directory", g->target);
	json_put_int(w, "file_count", (int64_t)g->manifest.count);
	json_put_int(w, "byte_count", g->manifest.bytes);
	json_put_cstr(w, "tree_sha256", g->manifest.tree_sha256);
	json_put_bool(w, "changed", g->is_changed);
	json_put_cstr(w, "kept", g->kept_or_null);
	json_object_end(w);
	return cli_print_json(cli, err);
}

bool model_get(struct cli *cli, struct error *err)
{
	struct model_get g = {.cli = cli, .target = cli_option(cli, "to", NULL)};
	struct slice path;
	if (g.target == NULL || g.target[0] == '\0')
		return cli_fail_usage(cli, err, "--to names the directory to put it in");
	if (!model_ref_resolve(cli, cli_word(cli, 0), &g.version, err) ||
	    !model_ref_path(cli, g.version, &path, err) ||
	    !manifest_load(cli, path, &g.manifest, err) || !check_digest(&g, err))
		return false;
	local_digest(g.target, g.old_digest);
	if (strcmp(g.old_digest, g.manifest.tree_sha256) != 0 && !replace(&g, err))
		return false;
	return print_result(&g, err);
}
