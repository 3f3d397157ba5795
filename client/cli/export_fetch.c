/* Owns what an export gets from the server: pages of lists, artifacts, and where their addresses lead. */
#include "cli/export.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/lookup.h"
#include "cli/run_view.h"
#include "src/artifact_uri.h"
#include "src/download.h"

/* ---- lists ----------------------------------------------------------------------------------- */

static bool fetch_page(struct export *x, const struct export_search *search, const char *token,
		       struct json_value **reply, struct error *err)
{
	struct cli *cli = x->cli;
	if (search->query_or_null != NULL)
		return cli_get(cli, reply, err, "%s?%s&max_results=%lld%s%s", search->path,
			       search->query_or_null, (long long)search->page_items,
			       token[0] != '\0' ? "&page_token=" : "",
			       cli_encode(cli, slice_from_cstr(token)));
	struct json_writer *w = cli_begin_json(cli);
	json_object_begin(w);
	if (search->write != NULL)
		search->write(w, search->context);
	json_put_int(w, "max_results", search->page_items);
	if (token[0] != '\0')
		json_put_cstr(w, "page_token", token);
	json_object_end(w);
	return cli_send(cli, "POST", search->path, reply, err);
}

static bool take_items(struct export *x, const struct export_search *search,
		       const struct json_value *list, struct error *err)
{
	const struct json_value *item = json_items(list);
	for (; item != NULL; item = item->next_sibling_or_null) {
		struct arena_mark mark = arena_mark(x->cli->arena);
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		bool ok = search->item(x, search->context, item, err);
		arena_rewind(x->cli->arena, mark);
		if (!ok)
			return false;
	}
	return true;
}

bool export_search(struct export *x, const struct export_search *search, struct error *err)
{
	char *token = NULL;
	bool ok, more;
	do {
		struct json_value *reply;
		struct arena_mark mark = arena_mark(x->cli->arena);
		ok = fetch_page(x, search, token != NULL ? token : "", &reply, err) &&
		     take_items(x, search, json_tree_get(reply, search->items), err);
		struct slice next = ok ? json_text(reply, "next_page_token") : SLICE("");
		free(token);
		token = strndup(next.ptr, next.len);
		more = next.len > 0;
		arena_rewind(x->cli->arena, mark);
		if (token == NULL)
			return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	} while (ok && more);
	free(token);
	return ok;
}

bool export_get_run(struct export *x, struct slice run_id, const struct json_value **out,
		    struct error *err)
{
	struct json_value *reply;
	if (!cli_get(x->cli, &reply, err, "/api/2.0/mlflow/runs/get?run_id=%s",
		     cli_encode(x->cli, run_id)))
		return false;
	*out = json_tree_get(reply, "run");
	return *out != NULL ||
	       error_set(err, ERR_INTERNAL_ERROR, "the server's reply holds no run");
}

void export_write_experiment(struct json_writer *w, const void *context)
{
	const struct export_experiment *experiment = context;
	json_key(w, "experiment_ids");
	json_array_begin(w);
	json_string(w, slice_from_cstr(experiment->id));
	json_array_end(w);
}

bool export_search_if_known(struct export *x, const struct export_search *search, struct error *err)
{
	struct error why;
	if (export_search(x, search, &why))
		return true;
	*err = why;
	/* A path that is not known may look like the name of a thing that is. */
	return why.code == ERR_ENDPOINT_NOT_FOUND || why.code == ERR_METHOD_NOT_ALLOWED;
}

struct slice export_text(const struct json_value *object, const char *key)
{
	return json_tree_string(json_tree_get(object, key), (struct slice){0});
}

/* ---- artifacts ------------------------------------------------------------------------------- */

bool export_artifacts_find(struct export *x, struct slice uri, struct export_artifacts *out,
			   struct error *err)
{
	struct error why;
	*out = (struct export_artifacts){0};
	struct slice path;
	if (!x->with_artifacts || !artifact_uri_path(uri, &path, &why))
		return true;
	if (!manifest_load(&x->cli->fetcher, x->cli->arena, path, &out->manifest, &why)) {
		*err = why;
		out->is_broken = why.code == ERR_DATA_LOSS;
		if (out->is_broken)
			import_report_add(&x->report, IMPORT_FAILED, "artifacts", path, "%s",
					  why.message);
		return out->is_broken || why.code == ERR_RESOURCE_DOES_NOT_EXIST;
	}
	out->path = path;
	return true;
}

/* Takes the file that an earlier export of the same folder holds; download_file looks whether it is
 * the right one. */
static void link_old(int old_fd, int new_fd, const char *path)
{
	const char *name;
	struct error ignored;
	if (old_fd < 0)
		return;
	int folder = download_open_folder(new_fd, path, &name, &ignored);
	if (folder < 0)
		return;
	bool is_linked = linkat(old_fd, path, folder, name, 0) == 0;
	(void)is_linked;     /* else it is fetched */
	(void)close(folder); /* only a handle */
}

static bool is_of_one_file(const struct error *err)
{
	return err->code == ERR_DATA_LOSS || err->code == ERR_RESOURCE_DOES_NOT_EXIST ||
	       err->code == ERR_NOT_FOUND;
}

static bool copy_files(struct export *x, const struct export_artifacts *artifacts, int old_fd,
		       int new_fd, bool *whole_out, struct error *err)
{
	struct download d = {
		.fetcher = &x->cli->fetcher,
		.root_fd = new_fd,
		.root = x->tree.root,
		.source = artifacts->manifest.base,
	};
	for (size_t i = 0; i < artifacts->manifest.count; i++) {
		const struct manifest_file *file = &artifacts->manifest.files[i];
		struct arena_mark mark = arena_mark(x->cli->arena);
		struct error why;
		if (cli_is_interrupted())
			return cli_fail_interrupted(err);
		link_old(old_fd, new_fd, file->path);
		if (download_file(&d, file, &why)) {
			x->report.counts.artifacts++;
			x->report.counts.artifact_bytes += file->bytes;
		} else if (is_of_one_file(&why)) {
			*whole_out = false;
			import_report_add(&x->report, IMPORT_FAILED, "artifact",
					  arena_printf(x->cli->arena, "%.*s/%s",
						       SLICE_FMT(artifacts->path), file->path),
					  "%s", why.message);
		} else {
			*err = why;
			return false;
		}
		arena_rewind(x->cli->arena, mark);
	}
	return true;
}

bool export_artifacts_copy(struct export *x, const struct export_artifacts *artifacts,
			   struct export_put *put, struct error *err)
{
	const char *old =
		arena_cstr(x->cli->arena, arena_printf(x->cli->arena, "%s/artifacts", put->target));
	put->is_whole = put->is_whole && !artifacts->is_broken;
	int new_fd = export_folder_make(put->fd, "artifacts", err);
	if (new_fd < 0)
		return false;
	int old_fd = openat(x->tree.root_fd, old, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool ok = !slice_is_present(artifacts->path) ||
		  copy_files(x, artifacts, old_fd, new_fd, &put->is_whole, err);
	if (old_fd >= 0)
		(void)close(old_fd); /* only a handle */
	(void)close(new_fd);	     /* only a handle */
	return ok;
}

/* ---- addresses ------------------------------------------------------------------------------- */

static struct slice in_tree(struct export *x, struct slice path)
{
	return arena_printf(x->cli->arena, "%s/%s", x->root_uri, cli_encode_path(x->cli, path));
}

static struct slice at_server(struct export *x, struct slice path)
{
	return arena_printf(x->cli->arena, "%s/api/2.0/mlflow-artifacts/artifacts/%s", x->cli->url,
			    cli_encode_path(x->cli, path));
}

struct slice export_uri(struct export *x, struct slice uri, const char *home)
{
	struct slice path;
	struct error ignored;
	if (!slice_is_present(uri) || !artifact_uri_path(uri, &path, &ignored))
		return uri;
	return x->with_artifacts ? in_tree(x, slice_from_cstr(home)) : at_server(x, path);
}

static bool is_digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return false;
	}
	return text.len > 0;
}

/* Is it as the server names places of its own: "12/<run>/artifacts", "12/models/m-…/artifacts"? The
 * tree has the same places. */
static bool is_home(struct slice path)
{
	struct slice segment = SLICE("");
	bool ok = slice_next(&path, '/', &segment) && is_digits(segment) &&
		  slice_next(&path, '/', &segment);
	if (ok && slice_eq_cstr(segment, "models"))
		ok = slice_next(&path, '/', &segment) && slice_starts_with(segment, SLICE("m-"));
	else
		ok = ok && segment.len == RUN_ID_LEN;
	return ok && slice_next(&path, '/', &segment) && slice_eq_cstr(segment, "artifacts");
}

bool export_uri_of_version(struct export *x, struct slice uri, struct slice run_id,
			   struct slice *out, struct error *err)
{
	const struct json_value *run;
	struct slice path;
	struct error why;
	*out = uri;
	if (!slice_is_present(uri) || !artifact_uri_path(uri, &path, &why))
		return true;
	*out = x->with_artifacts && is_home(path) ? in_tree(x, path) : at_server(x, path);
	if (!x->with_artifacts || is_home(path) || run_id.len == 0)
		return true;
	/* An experiment with a place of its own: the run tells. */
	if (!export_get_run(x, run_id, &run, &why)) {
		*err = why;
		return why.code == ERR_RESOURCE_DOES_NOT_EXIST; /* the run is gone */
	}
	struct slice home = run_info(run, "artifact_uri");
	if (home.len > 0 && slice_starts_with(uri, home))
		*out = in_tree(x, arena_printf(x->cli->arena, "%.*s/%.*s/artifacts%.*s",
					       SLICE_FMT(run_info(run, "experiment_id")),
					       SLICE_FMT(run_id),
					       SLICE_FMT(slice_from(uri, home.len))));
	return true;
}
