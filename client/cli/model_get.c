/* Owns "trk models get": a model version into a directory, whole and verified or not at all. */
#include <stdio.h>

#include "cli/directory_swap.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/model_ref.h"
#include "cli/progress.h"
#include "src/download.h"
#include "src/files.h"
#include "src/local_tree.h"
#include "src/manifest.h"

/* ---- what is there --------------------------------------------------------------------------- */

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

static bool fill(struct model_get *g, const struct directory_swap *swap, struct error *err)
{
	struct progress progress;
	struct download d = {
		.fetcher = &g->cli->fetcher,
		.root_fd = swap->new_fd,
		.root = g->target,
		.source = g->manifest.base,
		.moved = progress_moved,
		.context = &progress,
	};
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
	if (g.target == NULL || g.target[0] == '\0')
		return cli_fail_usage(cli, err, "--to names the directory to put it in");
	if (!model_ref_resolve(cli, cli_word(cli, 0), &g.version, err) ||
	    !model_source_manifest(&cli->fetcher, cli->arena, g.version, &g.manifest, err))
		return false;
	local_tree_digest(g.target, &cli->fetcher.stop, g.old_digest);
	if (strcmp(g.old_digest, g.manifest.tree_sha256) != 0 && !replace(&g, err))
		return false;
	return print_result(&g, err);
}
