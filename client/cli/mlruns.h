/* The parts of the source that reads an mlruns folder, MLflow's file store of any era (import_source.h):
 *
 *     mlruns_source.c    the folder, experiments, artifacts
 *       mlruns_run.c     runs and what they name: tags, params, datasets, models
 *       mlruns_points.c  metric files, a buffer at a time
 *       mlruns_models.c  logged models, registered models, versions, aliases
 *     mlruns_read.c      meta.yaml and folders of small files, with what is wrong told to the report
 *
 * Everything is reached by a path below the root, each name of which was looked at by lstat: symbolic links are
 * not followed. Reports name things by that path: "12/0a1b…/metrics/loss". */
#ifndef CLI_MLRUNS_H
#define CLI_MLRUNS_H

#include <dirent.h>

#include "base/json_scanner.h"
#include "cli/import_files.h"
#include "cli/import_source.h"

enum {
	MLRUNS_PATH_BYTES_MAX = 4096,
	MLRUNS_META_BYTES_MAX = 16 * 1024 * 1024,
	MLRUNS_VALUE_BYTES_MAX = 1024 * 1024, /* of a tag or a parameter; the server takes less */
	MLRUNS_BLOCK_BYTES = 64 * 1024,	      /* of a metric file; no line is longer */
};

/* A metric file that is being read. */
struct mlruns_curve {
	int fd; /* -1: none */
	struct slice key; /* in the walk's path */
	char *block;	  /* MLRUNS_BLOCK_BYTES, heap */
	size_t from, to;  /* what is left in it */
	bool is_end;
	int64_t line, point_count, bad_count, first_bad_line;
};

struct mlruns {
	struct import_source base;
	char *root;		  /* real path, heap */
	const char *only_or_null; /* experiment of this name; the caller's */
	const char *artifacts_root_or_null;

	char **experiments; /* paths below the root: "12", ".trash/13"; heap */
	size_t experiment_count, experiment_index;
	char experiment[MLRUNS_PATH_BYTES_MAX]; /* at hand */

	DIR *runs_or_null, *logged_or_null; /* of the experiment at hand */
	char owner[MLRUNS_PATH_BYTES_MAX];  /* run or logged model that was yielded last */
	char *owner_uri;		    /* its artifact address, heap */
	struct import_files metrics;	    /* of the run that was yielded last */
	char metrics_folder[MLRUNS_PATH_BYTES_MAX];
	bool has_metrics; /* are they open? */
	struct mlruns_curve curve;
	struct import_files artifacts;
	char artifacts_folder[MLRUNS_PATH_BYTES_MAX];
	char *artifacts_path; /* where they really are, heap; NULL: nowhere */
	bool is_located;      /* was it looked for? */
	bool has_artifacts;   /* are they open? */

	DIR *registry_or_null;
	char model[MLRUNS_PATH_BYTES_MAX];
	int64_t *versions; /* ascending, heap */
	size_t version_count, version_index;
};

static inline struct mlruns *mlruns_of(struct import_source *s)
{
	return (struct mlruns *)s; /* its first member */
}

/* ---- mlruns_read.c --------------------------------------------------------------------------- */

/* "/home/…/12/meta.yaml", in the arena. */
const char *mlruns_path(const struct mlruns *m, const char *relative, struct arena *arena);
/* Is anything there? Is it a folder, and no link? */
bool mlruns_has(const struct mlruns *m, const char *relative);
bool mlruns_is_folder(const struct mlruns *m, const char *relative);
/* The same; anything else in its place is told as of `kind`. */
bool mlruns_has_folder(struct mlruns *m, const char *relative, const char *kind);
/* FOLDER/meta.yaml as a tree; NULL when it is missing or damaged, which is told as of `kind`. */
const struct json_value *mlruns_meta(struct mlruns *m, const char *folder, const char *kind, struct arena *arena);
/* A text of a meta.yaml; numbers and truth values as they are written. Absent for null and what is missing. */
struct slice mlruns_text(const struct json_value *meta, const char *key);
/* A time in milliseconds, or -1. */
int64_t mlruns_time(const struct json_value *meta, const char *key);
/* The files below a folder as pairs, ascending by key. */
struct import_pairs mlruns_pairs(struct mlruns *m, const char *folder, const char *kind, struct arena *arena);
/* A mapping of texts in a meta.yaml. */
struct import_pairs mlruns_map(const struct json_value *map_or_null, struct arena *arena);
void mlruns_sort(struct import_pairs pairs);
/* Opens a folder to list what is in it; NULL where there is none, or when it cannot be read, which is told. */
DIR *mlruns_open_folder(struct mlruns *m, const char *folder, const char *kind);
/* The next folder in it whose name does not begin with a dot; NULL at the end. Links to folders are told as
 * of `kind`. The name is the directory's until the next call. */
const char *mlruns_next_folder(struct mlruns *m, DIR *directory, const char *folder, const char *kind);
void mlruns_close_folder(DIR **directory_or_null);
void mlruns_tell(struct mlruns *m, const char *kind, const char *path, const char *reason, ...) PRINTF_LIKE(4, 5);
/* "a/b" into a buffer; false, told, when that is too long. */
MUST_CHECK bool mlruns_join(struct mlruns *m, char out[MLRUNS_PATH_BYTES_MAX], const char *folder, const char *name);

/* ---- the others ------------------------------------------------------------------------------ */

/* Forgets what was read of the owner: curves, artifacts. */
void mlruns_forget_owner(struct mlruns *m);
void mlruns_set_owner(struct mlruns *m, const char *path, struct slice uri);
bool mlruns_next_run(struct import_source *s, struct arena *arena, struct import_run *out, bool *found_out,
		     struct error *err);
bool mlruns_next_points(struct import_source *s, struct arena *arena, struct import_point *points, size_t max,
			size_t *count_out, struct error *err);
void mlruns_points_close(struct mlruns *m);
/* A digest of names, sizes and times of the metric files below a folder; absent when it cannot be had. */
struct slice mlruns_points_digest(struct mlruns *m, const char *folder, struct arena *arena);
/* A line of a metric file: "timestamp value [step …]". *rest_out is what follows the step. */
bool mlruns_parse_point(struct slice line, struct import_point *out, struct slice *rest_out);
/* Begins to walk the metric files of the owner, if there are any. */
void mlruns_metrics_open(struct mlruns *m, struct arena *arena);
/* Opens the metric file that `files` yielded last, and gives its lines without their ends; absent at the end. */
bool mlruns_curve_open(struct mlruns_curve *c, struct import_files *files, struct slice key);
struct slice mlruns_curve_line(struct mlruns_curve *c);
/* Counts the line that was given last as no point. */
void mlruns_curve_bad(struct mlruns_curve *c);
/* Tells what was wrong with the file, once for all its lines. */
void mlruns_curve_close(struct mlruns *m, struct mlruns_curve *c);
bool mlruns_next_logged_model(struct import_source *s, struct arena *arena, struct import_logged_model *out,
			      bool *found_out, struct error *err);
bool mlruns_next_model(struct import_source *s, struct arena *arena, struct import_model *out, bool *found_out,
		       struct error *err);
bool mlruns_next_version(struct import_source *s, struct arena *arena, struct import_version *out,
			 bool *found_out, struct error *err);

#endif
