/* What the files of "trk export mlflow" share. The way through it:
 *
 *     export.c                  options, experiments
 *       export_run.c            one run: is it there already? else its files, points and artifacts
 *         export_inputs.c       its datasets and the logged models it read or made
 *       export_logged_models.c  the logged models of an experiment
 *       export_registry.c       registered models, versions, aliases, prompts
 *     export_fetch.c            what comes from the server: pages of lists, artifacts, addresses
 *     export_put.c              what becomes of it: folders that are due, files for keys
 *     export_tree.c             the folder on the disk
 *
 * Memory: one page of a list, one run and one page of its points at a time; the arena is rewound between
 * them. One thread. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "cli/export_tree.h"
#include "cli/import_report.h"
#include "cli/progress.h"
#include "cli/yaml_writer.h"
#include "src/manifest.h"

struct export {
	struct cli *cli;
	struct export_tree tree;
	const char *root_uri; /* "file:///home/…" */
	struct yaml_writer *yaml;
	struct import_report report;
	struct progress progress;
	bool with_artifacts;
	bool is_dry;
};

struct export_experiment {
	const char *id;
	const char *folder; /* "12", or ".trash/12" */
};

/* Writes run, points and artifacts, unless they are there. A run that cannot be had is reported. */
MUST_CHECK bool export_run(struct export *x, const struct export_experiment *experiment, struct slice run_id,
			   struct error *err);
/* Writes inputs/ and outputs/ into the run's folder, and the datasets beside it. */
MUST_CHECK bool export_inputs(struct export *x, const struct export_experiment *experiment,
			      const struct json_value *run, int run_fd, struct error *err);
MUST_CHECK bool export_logged_models(struct export *x, const struct export_experiment *experiment,
				     struct error *err);
MUST_CHECK bool export_registry(struct export *x, struct error *err);

/* ---- lists of the server --------------------------------------------------------------------- */

struct export_search {
	const char *path;
	const char *query_or_null; /* a GET with these parameters; else a POST */
	const char *items;	   /* the member that is the list */
	int64_t page_items;	   /* max_results */
	/* Members of the POST's body; may be NULL. */
	void (*write)(struct json_writer *w, const void *context);
	/* Each item; what it allocates is given back afterwards. */
	bool (*item)(struct export *x, void *context, const struct json_value *item, struct error *err);
	void *context;
};
/* Page after page to the end. */
MUST_CHECK bool export_search(struct export *x, const struct export_search *search, struct error *err);

/* The run itself; RESOURCE_DOES_NOT_EXIST where there is none. */
MUST_CHECK bool export_get_run(struct export *x, struct slice run_id, const struct json_value **out,
			       struct error *err);
/* "experiment_ids" of a search whose context is a struct export_experiment. */
void export_write_experiment(struct json_writer *w, const void *context);
/* The same search; a server that has no such list has nothing in it. */
MUST_CHECK bool export_search_if_known(struct export *x, const struct export_search *search, struct error *err);

/* ---- artifacts ------------------------------------------------------------------------------- */

/* What is stored at an address; nothing, with *path_out absent, for addresses of other stores and without
 * --artifacts. */
struct export_artifacts {
	struct slice path; /* behind the server's proxy; absent: not to be copied */
	bool is_broken;	   /* the server's list of them cannot be trusted, which was told: nothing is copied */
	struct manifest manifest;
};
MUST_CHECK bool export_artifacts_find(struct export *x, struct slice uri, struct export_artifacts *out,
				      struct error *err);
/* The address that artifacts have after the export: in the folder, else behind the server's proxy by HTTP;
 * those of other stores keep theirs. `home` is where they are put ("12/abc…/artifacts"). */
struct slice export_uri(struct export *x, struct slice uri, const char *home);
/* The same for an address whose home is to be found: a model version's. */
MUST_CHECK bool export_uri_of_version(struct export *x, struct slice uri, struct slice run_id,
				      struct slice *out, struct error *err);

/* ---- folders that are put -------------------------------------------------------------------- */

/* Begins a digest of all that decides what is written: where to, with which artifacts. The caller adds what the
 * server told, and ends it into export_put.digest. */
MUST_CHECK bool export_digest_begin(struct export *x, const struct export_artifacts *artifacts_or_null,
				    struct sha256 *h, struct error *err);

struct export_put {
	const char *kind;  /* "run" */
	struct slice name; /* for sentences */
	const char *target;
	char digest[SHA256_HEX_LEN + 1];
	/* From begin: */
	bool was_there; /* with this digest, or put there by others */
	bool is_due;	/* fd is a new folder, to be filled */
	int fd;
	bool is_whole; /* the caller makes it false when something had to be left out for now */
};
MUST_CHECK bool export_put_begin(struct export *x, struct export_put *put, struct error *err);
/* `ok`: could it be filled? Else *err says why, and the folder is dropped. */
MUST_CHECK bool export_put_end(struct export *x, struct export_put *put, bool ok, struct error *err);

/* ---- files of a staged folder ---------------------------------------------------------------- */

/* Copies them into artifacts/ of a folder that is put. What an earlier export of the same target holds is linked
 * rather than fetched. Files that the server does not have as it promised are reported, and the put is not whole. */
MUST_CHECK bool export_artifacts_copy(struct export *x, const struct export_artifacts *artifacts,
				      struct export_put *put, struct error *err);
/* Pairs of texts in a reply: the names of the two members. */
struct export_list {
	const struct json_value *items_or_null;
	const char *key, *value;
};
#define EXPORT_TAGS(list) ((struct export_list){(list), "key", "value"})
#define EXPORT_ALIASES(list) ((struct export_list){(list), "alias", "version"})
/* Writes them as files into a folder; what does not fit is reported as of `owner`. */
MUST_CHECK bool export_pairs_into(struct export *x, struct export_list list, int folder_fd, const char *kind,
				  struct slice owner, struct error *err);
/* The same, into a folder below, which is made. */
MUST_CHECK bool export_pairs(struct export *x, struct export_list list, int folder_fd, const char *name,
			     const char *kind, struct slice owner, struct error *err);
/* Writes them as a mapping of x->yaml. */
void export_put_map(struct export *x, const char *name, struct export_list list);
/* Ends the document of x->yaml and writes it as meta.yaml. */
MUST_CHECK bool export_meta(struct export *x, int folder_fd, struct error *err);
/* Appends "timestamp value step" of a point, as Python writes numbers. */
void export_point(struct buffer *line, const struct json_value *point);
/* Reports something that a file store has no place for. */
void export_leave_out(struct export *x, const char *kind, struct slice owner, struct slice name,
		      const char *reason);
/* A text in a reply; absent where it is missing. */
struct slice export_text(const struct json_value *object, const char *key);

#endif
