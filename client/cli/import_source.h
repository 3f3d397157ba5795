/* Where `trk import` reads from: one interface, an implementation for each kind of source (sqlite_source.c,
 * server_source.c, mlruns_source.c).
 *
 * A source is opened read-only and yields what it holds, in this order, each list to its end:
 *
 *     next_experiment                                  all experiments, also deleted ones
 *       next_run (of that experiment)                  its runs, also deleted ones
 *         next_points, next_artifact                   of the run that was yielded last
 *       next_logged_model (of that experiment)         its logged models, also deleted ones
 *         next_artifact                                of the logged model that was yielded last
 *     next_model                                       all registered models
 *       next_version (of that model)                   its versions, ascending
 *     finish                                           once: says what the source holds besides
 *
 * The caller may leave out any inner list and may end it early; asking for the next outer item then forgets it.
 * A list that is asked for again begins anew only through its outer item. An implementation must not hold more
 * in memory than one item, one batch and one page, however large the source is.
 *
 * Memory: what is yielded lives in the arena that was passed, which the caller empties between items. Texts are
 * UTF-8; an implementation reports and leaves out what is not.
 *
 * Damage: an item that cannot be read is told to the report (import_report.h) by name and reason, and skipped;
 * the list goes on. A function fails only when nothing more can be had from the source at all. One thread. */
#ifndef CLI_IMPORT_SOURCE_H
#define CLI_IMPORT_SOURCE_H

#include "base/arena.h"
#include "base/error.h"
#include "cli/import_report.h"

struct cli;

/* A tag or a parameter. */
struct import_pair {
	struct slice key, value; /* present, perhaps empty */
};
struct import_pairs {
	struct import_pair *items;
	size_t count;
};
/* Appends to a list that grows in the arena by this function only. */
void import_pairs_add(struct import_pairs *list, struct slice key, struct slice value, struct arena *arena);

/* Times are milliseconds since 1970; -1 where the source has none. Texts that the source does not have are
 * absent. */
struct import_experiment {
	int64_t id;
	struct slice name;
	struct slice artifact_location;
	bool is_deleted;
	int64_t creation_time_ms, last_update_time_ms;
	struct import_pairs tags;
};

struct import_dataset {
	struct slice name, digest, source_type, source, schema, profile;
	struct import_pairs tags;
};
struct import_datasets {
	struct import_dataset *items;
	size_t count;
};
void import_datasets_add(struct import_datasets *list, struct import_dataset dataset, struct arena *arena);

/* A logged model that a run read or made. */
struct import_model_link {
	struct slice model_id;
	int64_t step; /* of an output */
};
struct import_model_links {
	struct import_model_link *items;
	size_t count;
};
void import_model_links_add(struct import_model_links *list, struct import_model_link link, struct arena *arena);

struct import_run {
	struct slice run_id;
	struct slice name;   /* absent or empty: the tag mlflow.runName, else made up */
	struct slice user_id;
	struct slice status; /* RUNNING SCHEDULED FINISHED FAILED KILLED */
	int64_t start_time_ms, end_time_ms, deleted_time_ms;
	bool is_deleted;
	struct slice artifact_uri; /* as the source says it */
	struct import_pairs tags, params;
	struct import_datasets datasets;
	struct import_model_links model_inputs, model_outputs;
	/* Something that changes whenever the run's points do, and is cheap to get: their number, or the latest
	 * metrics. Compared with that of an earlier import, to pass over runs that are there already. May be
	 * absent: then points are always read. */
	struct slice points_digest;
};

struct import_point {
	struct slice key;
	double value; /* NaN and infinities are kept */
	int64_t timestamp_ms, step;
};

struct import_model_metric {
	struct import_point point;
	struct slice run_id, dataset_name, dataset_digest;
};
struct import_model_metrics {
	struct import_model_metric *items;
	size_t count;
};
void import_model_metrics_add(struct import_model_metrics *list, struct import_model_metric metric,
			      struct arena *arena);

struct import_logged_model {
	struct slice model_id; /* "m-…" */
	struct slice name, type, source_run_id, status_message;
	struct slice status; /* PENDING READY UPLOAD_FAILED, with or without LOGGED_MODEL_ before it */
	struct slice artifact_uri;
	int64_t creation_time_ms, last_update_time_ms;
	bool is_deleted;
	struct import_pairs tags, params;
	struct import_model_metrics metrics;
};

struct import_alias {
	struct slice alias;
	int64_t version;
};
struct import_aliases {
	struct import_alias *items;
	size_t count;
};
void import_aliases_add(struct import_aliases *list, struct import_alias alias, struct arena *arena);

/* A registered model, or a prompt, which is one with a tag. */
struct import_model {
	struct slice name, description;
	int64_t creation_time_ms, last_update_time_ms;
	struct import_pairs tags;
	struct import_aliases aliases;
};

struct import_version {
	int64_t version;
	struct slice description, user_id, stage, source, storage_location, run_id, run_link;
	struct slice status, status_message; /* PENDING_REGISTRATION FAILED_REGISTRATION READY */
	int64_t creation_time_ms, last_update_time_ms;
	struct import_pairs tags;
};

/* A file among the artifacts of a run or of a logged model. */
struct import_artifact {
	struct slice path; /* within them: "model/MLmodel"; relative, without "..", "." or empty segments */
	int64_t bytes;     /* -1 if not known */
};

/* How much there is, for the progress bar; -1 where that is not known without reading it all. */
struct import_totals {
	int64_t experiments, runs, points, models;
};

struct import_source;

struct import_source_ops {
	/* *found_out is false at the end of a list. */
	bool (*next_experiment)(struct import_source *s, struct arena *arena, struct import_experiment *out,
				bool *found_out, struct error *err);
	bool (*next_run)(struct import_source *s, struct arena *arena, struct import_run *out, bool *found_out,
			 struct error *err);
	/* Fills up to `max` points, in any order; *count_out 0 at the end. */
	bool (*next_points)(struct import_source *s, struct arena *arena, struct import_point *points, size_t max,
			    size_t *count_out, struct error *err);
	bool (*next_logged_model)(struct import_source *s, struct arena *arena, struct import_logged_model *out,
				  bool *found_out, struct error *err);
	/* Files of what was yielded last, in any order. Artifacts that cannot be had from here (a bucket, a folder
	 * of another machine) are none: has_artifacts says whether there is any hope. */
	bool (*next_artifact)(struct import_source *s, struct arena *arena, struct import_artifact *out,
			      bool *found_out, struct error *err);
	/* Gives a descriptor of a regular file, at its first byte, for the artifact that was yielded last; -1 when it
	 * cannot be read, which the source has then told to the report. */
	int (*open_artifact)(struct import_source *s, const struct import_artifact *artifact);
	bool (*next_model)(struct import_source *s, struct arena *arena, struct import_model *out, bool *found_out,
			   struct error *err);
	bool (*next_version)(struct import_source *s, struct arena *arena, struct import_version *out,
			     bool *found_out, struct error *err);
	/* Can the artifacts at this address be read from here? Else the address is kept as it is and reported. */
	bool (*has_artifacts)(struct import_source *s, struct slice artifact_uri);
	/* Of everything, or of the experiment of that name. */
	bool (*totals)(struct import_source *s, struct import_totals *out, struct error *err);
	/* Reports what the source holds and this interface cannot carry: traces, webhooks … */
	bool (*finish)(struct import_source *s, struct arena *arena, struct error *err);
	void (*close)(struct import_source *s);
};

/* The head of every source; implementations embed it. */
struct import_source {
	const struct import_source_ops *ops;
	struct cli *cli;              /* kept: Ctrl-C, temporary files */
	struct import_report *report; /* kept */
};

struct import_source_options {
	const char *location;             /* as it was typed: a file, a folder, an address */
	const char *artifacts_root_or_null; /* folder behind mlflow-artifacts:/ addresses */
	const char *experiment_or_null;   /* only the experiment of this name: next_experiment yields no other */
	struct cli *cli;
	struct import_report *report;
};

/* Opens the kind of source that the location names. Gives *out; close with import_source_close. Fails with a
 * sentence that names what is there and what is wanted. */
MUST_CHECK bool import_source_open(const struct import_source_options *options, struct import_source **out,
				   struct error *err);
void import_source_close(struct import_source *source_or_null);

/* The kinds; called by import_source_open. */
MUST_CHECK bool sqlite_source_open(const struct import_source_options *options, struct import_source **out,
				   struct error *err);
MUST_CHECK bool server_source_open(const struct import_source_options *options, struct import_source **out,
				   struct error *err);
MUST_CHECK bool mlruns_source_open(const struct import_source_options *options, struct import_source **out,
				   struct error *err);

#endif
