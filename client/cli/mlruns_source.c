/* Owns the source that reads an mlruns folder: the folder itself, experiments, artifacts. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mlruns.h"
#include "src/files.h"

#define TRASH	 ".trash"
#define REGISTRY "models"
/* What an export that was killed leaves behind. */
#define STAGING "trk-export-tmp"

/* ---- what was yielded last ------------------------------------------------------------------- */

void mlruns_forget_owner(struct mlruns *m)
{
	mlruns_points_close(m);
	import_files_close(&m->artifacts);
	m->has_artifacts = false;
	m->owner[0] = '\0';
	free(m->owner_uri);
	free(m->artifacts_path);
	m->owner_uri = m->artifacts_path = NULL;
	m->is_located = false;
}

void mlruns_set_owner(struct mlruns *m, const char *path, struct slice uri)
{
	mlruns_forget_owner(m);
	(void)snprintf(m->owner, sizeof(m->owner), "%s", path); /* was joined to fit */
	m->owner_uri = uri.len > 0 ? strndup(uri.ptr, uri.len) : NULL;
}

/* ---- experiments ----------------------------------------------------------------------------- */

static int compare_paths(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	size_t x_len = strlen(*x), y_len = strlen(*y);
	return x_len != y_len ? (x_len > y_len) - (x_len < y_len) : strcmp(*x, *y);
}

static bool add_experiment(struct mlruns *m, const char *path, struct error *err)
{
	char **larger = reallocarray(m->experiments, m->experiment_count + 1, sizeof(*larger));
	if (larger != NULL)
		m->experiments = larger;
	char *copy = larger == NULL ? NULL : strdup(path);
	if (copy == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	m->experiments[m->experiment_count++] = copy;
	return true;
}

static bool list_experiments(struct mlruns *m, const char *folder, struct error *err)
{
	char path[MLRUNS_PATH_BYTES_MAX];
	DIR *directory = mlruns_open_folder(m, folder[0] != '\0' ? folder : ".", "folder");
	const char *name;
	bool ok = true, is_top = folder[0] == '\0';
	while (ok && directory != NULL &&
	       (name = mlruns_next_folder(m, directory, folder, "experiment")) != NULL) {
		bool is_other =
			is_top && (strcmp(name, REGISTRY) == 0 || strcmp(name, STAGING) == 0);
		if (!is_other && mlruns_join(m, path, folder, name))
			ok = add_experiment(m, path, err);
	}
	mlruns_close_folder(&directory);
	return ok;
}

static bool read_experiment(struct mlruns *m, struct arena *arena, struct import_experiment *out)
{
	bool is_trash = strncmp(m->experiment, TRASH "/", sizeof(TRASH)) == 0;
	const char *name = is_trash ? m->experiment + sizeof(TRASH) : m->experiment;
	const struct json_value *meta = mlruns_meta(m, m->experiment, "experiment", arena);
	struct slice title = mlruns_text(meta, "name");
	int64_t id;
	if (meta == NULL)
		return false;
	if (m->only_or_null != NULL && !slice_eq_cstr(title, m->only_or_null))
		return false;
	if (!slice_parse_i64(slice_from_cstr(name), &id) || id < 0) {
		mlruns_tell(m, "experiment", m->experiment, "its folder is named by no number");
		return false;
	}
	if (json_tree_i64(json_tree_get(meta, "experiment_id"), -1) != id || title.len == 0) {
		mlruns_tell(m, "experiment", m->experiment,
			    "its meta.yaml is of another experiment, or names none");
		return false;
	}
	const char *tags = arena_cstr(arena, arena_printf(arena, "%s/tags", m->experiment));
	*out = (struct import_experiment){
		.id = id,
		.name = title,
		.artifact_location = mlruns_text(meta, "artifact_location"),
		.is_deleted =
			is_trash || slice_eq_cstr(mlruns_text(meta, "lifecycle_stage"), "deleted"),
		.creation_time_ms = mlruns_time(meta, "creation_time"),
		.last_update_time_ms = mlruns_time(meta, "last_update_time"),
		.tags = mlruns_pairs(m, tags, "tag", arena),
	};
	return true;
}

static void forget_experiment(struct mlruns *m)
{
	mlruns_forget_owner(m);
	mlruns_close_folder(&m->runs_or_null);
	mlruns_close_folder(&m->logged_or_null);
}

static bool next_experiment(struct import_source *s, struct arena *arena,
			    struct import_experiment *out, bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	(void)err;
	forget_experiment(m);
	*found_out = false;
	while (!*found_out && m->experiment_index < m->experiment_count) {
		(void)snprintf(m->experiment, sizeof(m->experiment), "%s",
			       m->experiments[m->experiment_index++]); /* was joined to fit */
		*found_out = read_experiment(m, arena, out);
	}
	return true;
}

/* ---- artifacts ------------------------------------------------------------------------------- */

static bool is_local(const char *uri_or_null)
{
	if (uri_or_null == NULL || strncmp(uri_or_null, "file:", 5) == 0)
		return true;
	size_t scheme_len = strcspn(uri_or_null, ":/");
	return uri_or_null[scheme_len] != ':';
}

/* The owner's own folder, as MLflow keeps it wherever the tree was moved to; else what its address
 * names; NULL when neither can be had. */
static const char *locate(struct mlruns *m, struct arena *arena)
{
	const struct import_places places = {.artifacts_root_or_null = m->artifacts_root_or_null,
					     .base = m->root};
	if (m->owner[0] == '\0' || !mlruns_join(m, m->artifacts_folder, m->owner, "artifacts"))
		return NULL;
	bool has_any = mlruns_has(m, m->artifacts_folder),
	     has_own = mlruns_has_folder(m, m->artifacts_folder, "artifact");
	const char *own = mlruns_path(m, m->artifacts_folder, arena);
	/* An empty one is made for every run, also for those whose artifacts are elsewhere. */
	if (has_own && !files_is_empty_folder(own))
		return own;
	const char *there =
		m->owner_uri == NULL
			? NULL
			: import_files_locate(&places, slice_from_cstr(m->owner_uri), arena);
	if (there != NULL)
		return there;
	return is_local(m->owner_uri) && has_own == has_any ? own : NULL;
}

/* Looked for once, since what is wrong is told. */
static const char *artifacts_path(struct mlruns *m)
{
	struct arena *arena = m->base.cli->arena;
	struct arena_mark mark = arena_mark(arena);
	if (!m->is_located) {
		const char *path = locate(m, arena);
		m->artifacts_path = path == NULL ? NULL : strdup(path);
		m->is_located = true;
	}
	arena_rewind(arena, mark);
	return m->artifacts_path;
}

static bool has_artifacts(struct import_source *s, struct slice artifact_uri)
{
	struct mlruns *m = mlruns_of(s);
	bool is_owners = slice_eq(artifact_uri, slice_from_cstr(m->owner_uri)) ||
			 (artifact_uri.len == 0 && m->owner_uri == NULL);
	return is_owners && artifacts_path(m) != NULL;
}

static bool next_artifact(struct import_source *s, struct arena *arena, struct import_artifact *out,
			  bool *found_out, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	(void)err;
	if (!m->has_artifacts && artifacts_path(m) != NULL)
		import_files_open_as(&m->artifacts, m->base.report, "artifact", m->artifacts_folder,
				     artifacts_path(m));
	m->has_artifacts = true;
	*found_out = import_files_next(&m->artifacts, arena, out);
	return true;
}

static int open_artifact(struct import_source *s, const struct import_artifact *artifact)
{
	(void)artifact; /* the one that was yielded last */
	return import_files_open_file(&mlruns_of(s)->artifacts);
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool totals(struct import_source *s, struct import_totals *out, struct error *err)
{
	const struct mlruns *m = mlruns_of(s);
	(void)err;
	*out = (struct import_totals){-1, -1, -1, -1};
	if (m->only_or_null == NULL)
		out->experiments = (int64_t)m->experiment_count;
	return true;
}

/* Traces stand below the experiments. */
static bool finish(struct import_source *s, struct arena *arena, struct error *err)
{
	struct mlruns *m = mlruns_of(s);
	char folder[MLRUNS_PATH_BYTES_MAX];
	(void)err;
	for (size_t i = 0; i < m->experiment_count; i++) {
		const char *name;
		if (!mlruns_join(m, folder, m->experiments[i], "traces") ||
		    !mlruns_is_folder(m, folder))
			continue;
		DIR *directory = mlruns_open_folder(m, folder, "trace");
		while (directory != NULL &&
		       (name = mlruns_next_folder(m, directory, folder, "trace")) != NULL)
			import_report_add(m->base.report, IMPORT_UNSUPPORTED, "trace",
					  arena_printf(arena, "%s/%s", folder, name),
					  "traces are not read from folders");
		mlruns_close_folder(&directory);
	}
	return true;
}

static void close_source(struct import_source *s)
{
	struct mlruns *m = mlruns_of(s);
	forget_experiment(m);
	mlruns_close_folder(&m->registry_or_null);
	for (size_t i = 0; i < m->experiment_count; i++)
		free(m->experiments[i]);
	free(m->experiments);
	free(m->versions);
	free(m->curve.block);
	free(m->root);
	free(m);
}

static const struct import_source_ops ops = {
	.next_experiment = next_experiment,
	.next_run = mlruns_next_run,
	.next_points = mlruns_next_points,
	.next_logged_model = mlruns_next_logged_model,
	.next_artifact = next_artifact,
	.open_artifact = open_artifact,
	.next_model = mlruns_next_model,
	.next_version = mlruns_next_version,
	.has_artifacts = has_artifacts,
	.totals = totals,
	.finish = finish,
	.close = close_source,
};

static bool check_content(const struct mlruns *m, struct error *err)
{
	if (m->experiment_count > 0 || mlruns_is_folder(m, REGISTRY))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "%s is no mlruns folder: it holds neither experiments nor models",
			 m->root);
}

bool mlruns_source_open(const struct import_source_options *options, struct import_source **out,
			struct error *err)
{
	struct mlruns *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	m->base = (struct import_source){&ops, options->cli, options->report};
	m->only_or_null = options->experiment_or_null;
	m->artifacts_root_or_null = options->artifacts_root_or_null;
	m->curve.fd = -1;
	m->curve.block = malloc(MLRUNS_BLOCK_BYTES);
	m->root = realpath(options->location, NULL);
	bool ok = m->root != NULL || cli_fail_file(err, "open the folder", options->location);
	if (ok && m->curve.block == NULL)
		ok = error_set(err, ERR_INTERNAL_ERROR, "out of memory");
	ok = ok && list_experiments(m, "", err) &&
	     (!mlruns_is_folder(m, TRASH) || list_experiments(m, TRASH, err)) &&
	     check_content(m, err);
	if (!ok) {
		close_source(&m->base);
		return false;
	}
	if (m->experiment_count > 1)
		qsort(m->experiments, m->experiment_count, sizeof(*m->experiments), compare_paths);
	*out = &m->base;
	return true;
}
