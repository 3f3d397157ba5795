/* Owns `trk import mlflow`: brings what a source yields into the daemon, item by item, in flat memory. */
#include <unistd.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/handlers.h"
#include "cli/import_digest.h"
#include "cli/import_sink.h"
#include "cli/lookup.h"
#include "cli/progress.h"
#include "src/artifact_uri.h"

enum {
	POINTS_MAX = 10000, /* of a request: what the daemon takes */
	ARENA_BYTES_MAX = 1024 * 1024 * 1024,
	DATASETS_BYTES_MAX = 1024 * 1024, /* that go along with other data; larger ones go alone */
};

struct import {
	struct cli *cli;
	struct import_source *source;
	struct import_sink sink;
	struct import_report report;
	struct progress progress;
	bool with_artifacts;
	bool has_found_any; /* experiment */
	/* One for each level of what is read, emptied between items. */
	struct arena outer, inner, batch;
	struct import_point *points; /* POINTS_MAX */
};

/* Files on their way to what owns them. */
struct shipment {
	struct slice owner_id;
	bool is_wanted;		   /* they can be read, and come over */
	bool is_elsewhere;	   /* they cannot be read from here */
	bool keeps_artifacts;	   /* their address stays as it is */
	bool may_be_there;	   /* some of them */
	struct slice artifact_uri; /* here; absent when the owner was refused */
};

/* A run on its way. */
struct passage {
	struct import_run run;
	int64_t experiment_id; /* here */
	char digest[SHA256_HEX_LEN + 1];
	int64_t failed_before; /* items of the report */
	struct shipment files;
};

static bool import_all(struct import *im, struct error *err);
static bool import_runs(struct import *im, int64_t experiment_id, struct error *err);
static bool import_run(struct import *im, struct passage *p, struct error *err);
static bool import_logged_models(struct import *im, int64_t experiment_id, struct error *err);
static bool import_models(struct import *im, struct error *err);
static bool tell(struct import *im, struct error *err);

static bool open_ends(struct import *im, struct error *err)
{
	struct cli *cli = im->cli;
	const struct import_source_options options = {
		.location = cli_word(cli, 0),
		.artifacts_root_or_null = cli_option(cli, "artifacts-root", NULL),
		.experiment_or_null = cli_option(cli, "experiment", NULL),
		.cli = cli,
		.report = &im->report,
	};
	return import_source_open(&options, &im->source, err) &&
	       import_sink_open(&im->sink, cli, &im->report, cli_flag(cli, "dry-run"), err);
}

bool import_mlflow(struct cli *cli, struct error *err)
{
	struct import im = {.cli = cli, .with_artifacts = !cli_flag(cli, "no-artifacts")};
	import_report_init(&im.report, cli);
	im.report.progress_or_null = &im.progress;
	arena_init(&im.outer, ARENA_BYTES_MAX);
	arena_init(&im.inner, ARENA_BYTES_MAX);
	arena_init(&im.batch, ARENA_BYTES_MAX);
	im.points = ARENA_NEW(cli->arena, struct import_point, POINTS_MAX);
	bool ok = open_ends(&im, err) && import_all(&im, err);
	progress_end(&im.progress);
	/* What came over until it broke off is told, too. */
	struct error ignored;
	bool told = im.source == NULL || tell(&im, ok ? err : &ignored);
	import_source_close(im.source);
	import_sink_close(&im.sink);
	arena_deinit(&im.batch);
	arena_deinit(&im.inner);
	arena_deinit(&im.outer);
	import_report_deinit(&im.report);
	return ok && told;
}

/* ---- experiments ------------------------------------------------------------------------------ */

static bool is_interrupted(struct error *err)
{
	return cli_is_interrupted() && !cli_fail_interrupted(err);
}

/* Without this the experiment's new runs would go where this server cannot follow. */
static bool is_foreign(struct slice location)
{
	static const char *const own[] = {"mlflow-artifacts:", "file:", "http:", "https:"};
	size_t colon = slice_find_byte(location, ':', 0);
	for (size_t i = 0; i < ARRAY_COUNT(own); i++) {
		if (slice_starts_with(location, slice_from_cstr(own[i])))
			return false;
	}
	return colon > 1 && colon < location.len && slice_find_byte(location, '/', 0) > colon;
}

static bool import_experiment(struct import *im, const struct import_experiment *experiment,
			      struct error *err)
{
	bool taken = false;
	int64_t id = 0, runs_before = im->report.counts.runs;
	bool keeps_location = is_foreign(experiment->artifact_location);
	if (!import_sink_experiment(&im->sink, experiment, keeps_location, &id, &taken, err))
		return false;
	if (!taken)
		return true;
	if (!import_runs(im, id, err) || !import_logged_models(im, id, err))
		return false;
	if (!im->progress.is_on)
		cli_say(im->cli, "%.*s: %.*s", SLICE_FMT(experiment->name),
			SLICE_FMT(format_count(&im->inner, im->report.counts.runs - runs_before,
					       "run")));
	return true;
}

static bool import_experiments(struct import *im, struct error *err)
{
	for (;;) {
		struct import_experiment experiment = {0};
		bool found = false;
		arena_reset(&im->outer);
		if (is_interrupted(err) ||
		    !im->source->ops->next_experiment(im->source, &im->outer, &experiment, &found,
						      err))
			return false;
		if (!found)
			return true;
		im->has_found_any = true;
		if (!import_experiment(im, &experiment, err))
			return false;
	}
}

/* The registry belongs to no experiment: with --experiment it stays where it is. */
static bool import_all(struct import *im, struct error *err)
{
	struct import_totals totals = {-1, -1, -1, -1};
	if (!im->source->ops->totals(im->source, &totals, err))
		return false;
	progress_begin(&im->progress, im->cli, "importing", totals.points >= 0 ? totals.points : 0);
	im->progress.unit_or_null = "points";
	if (!import_experiments(im, err))
		return false;
	bool is_one = cli_option(im->cli, "experiment", NULL) != NULL;
	if (is_one && !im->has_found_any)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "the source has no experiment named \"%s\"",
				 cli_option(im->cli, "experiment", NULL));
	arena_reset(&im->outer);
	return is_one ||
	       (import_models(im, err) && im->source->ops->finish(im->source, &im->outer, err));
}

/* ---- artifacts -------------------------------------------------------------------------------- */

/* What stays where it is, is told; what is behind mlflow-artifacts:/ has its address here in any case. */
static void plan_shipment(struct import *im, struct slice owner_id, struct slice source_uri,
			  struct shipment *out)
{
	bool is_readable = im->source->ops->has_artifacts(im->source, source_uri);
	bool is_proxied = slice_starts_with(source_uri, SLICE("mlflow-artifacts:"));
	*out = (struct shipment){
		.owner_id = owner_id,
		.is_wanted = is_readable && im->with_artifacts,
		.is_elsewhere = !is_readable && source_uri.len > 0,
		.keeps_artifacts =
			!(is_readable && im->with_artifacts) && !is_proxied && source_uri.len > 0,
	};
}

static void tell_unreadable(struct import *im, const struct shipment *s, struct slice source_uri)
{
	if (s->is_elsewhere && im->with_artifacts)
		import_report_add(&im->report, IMPORT_CHANGED, "artifacts", s->owner_id,
				  "not reachable from here, %s %.*s",
				  s->keeps_artifacts ? "they stay at" : "nothing came over from",
				  SLICE_FMT(source_uri));
}

/* In the outer arena, since the first one is asked for before its owner is sent. */
static bool next_artifact(struct import *im, const struct shipment *s, struct import_artifact *out,
			  bool *found_out, struct error *err)
{
	*found_out = false;
	return !s->is_wanted ||
	       im->source->ops->next_artifact(im->source, &im->outer, out, found_out, err);
}

/* Path behind the artifact proxy; false when the artifacts are not the server's. */
static bool artifact_root(const struct shipment *s, struct slice *root_out)
{
	struct error ignored;
	return artifact_uri_path(s->artifact_uri, root_out, &ignored);
}

static bool send_artifact(struct import *im, const struct shipment *s, struct slice root,
			  const struct import_artifact *artifact, struct error *err)
{
	int fd = im->source->ops->open_artifact(im->source, artifact);
	if (fd < 0)
		return true; /* the source told why */
	bool ok = import_sink_artifact(&im->sink, root, artifact, fd, s->may_be_there, err);
	(void)close(fd); /* only read */
	return ok;
}

/* Begins with the artifact that was already asked for. */
static bool send_artifacts(struct import *im, const struct shipment *s,
			   struct import_artifact artifact, struct error *err)
{
	struct slice root = SLICE("-");
	bool found = true;
	if (im->sink.api_or_null != NULL && !artifact_root(s, &root)) {
		import_report_add(&im->report, IMPORT_FAILED, "artifacts", s->owner_id,
				  "this server stores its artifacts at %.*s",
				  SLICE_FMT(s->artifact_uri));
		return true;
	}
	while (found) {
		if (is_interrupted(err) || !send_artifact(im, s, root, &artifact, err))
			return false;
		arena_reset(&im->batch);
		if (!im->source->ops->next_artifact(im->source, &im->batch, &artifact, &found, err))
			return false;
	}
	return true;
}

/* ---- runs ------------------------------------------------------------------------------------- */

static bool import_runs(struct import *im, int64_t experiment_id, struct error *err)
{
	for (;;) {
		struct passage p = {.experiment_id = experiment_id};
		bool found = false;
		arena_reset(&im->inner);
		p.failed_before = im->report.mark_counts[IMPORT_FAILED];
		if (is_interrupted(err) ||
		    !im->source->ops->next_run(im->source, &im->inner, &p.run, &found, err))
			return false;
		if (!found)
			return true;
		if (!import_run(im, &p, err))
			return false;
	}
}

/* As many points as a request takes; *is_end_out when there are no more. */
static bool fill_points(struct import *im, size_t *count_out, bool *is_end_out, struct error *err)
{
	size_t count = 0, more = 1;
	arena_reset(&im->batch);
	while (count < POINTS_MAX && more > 0) {
		if (!im->source->ops->next_points(im->source, &im->batch, im->points + count,
						  POINTS_MAX - count, &more, err))
			return false;
		count += more;
	}
	*count_out = count;
	*is_end_out = more == 0;
	return true;
}

static size_t datasets_bytes(struct import_datasets datasets)
{
	size_t bytes = 0;
	for (size_t i = 0; i < datasets.count; i++)
		bytes += datasets.items[i].source.len + datasets.items[i].schema.len +
			 datasets.items[i].profile.len;
	return bytes;
}

static bool send_part(struct import *im, struct passage *p, const struct import_part *part,
		      struct error *err)
{
	if (!import_sink_run(&im->sink, part, &im->inner, &p->files.artifact_uri, err))
		return false;
	progress_add(&im->progress, (int64_t)part->point_count);
	return true;
}

static struct import_part part_of(const struct passage *p)
{
	return (struct import_part){
		.run = &p->run,
		.experiment_id = p->experiment_id,
		.keeps_artifacts = p->files.keeps_artifacts,
		.digest = p->digest,
	};
}

/* Large datasets each in a request of their own. */
static bool send_datasets(struct import *im, struct passage *p, struct error *err)
{
	for (size_t i = 0; i < p->run.datasets.count; i++) {
		struct import_part part = part_of(p);
		part.datasets = (struct import_datasets){&p->run.datasets.items[i], 1};
		if (!send_part(im, p, &part, err))
			return false;
	}
	return true;
}

/* The digest is kept only when all came over. */
static void mark_end(const struct import *im, struct passage *p, struct import_part *part)
{
	if (im->report.mark_counts[IMPORT_FAILED] != p->failed_before)
		p->digest[0] = '\0';
	part->is_whole = true;
}

/* The points behind the first batch, and the end of the run. */
static bool send_rest(struct import *im, struct passage *p, bool is_end, struct error *err)
{
	do {
		struct import_part part = part_of(p);
		if (is_interrupted(err))
			return false;
		if (!is_end && !fill_points(im, &part.point_count, &is_end, err))
			return false;
		part.points = im->points;
		if (is_end)
			mark_end(im, p, &part);
		if (!send_part(im, p, &part, err))
			return false;
	} while (!is_end);
	return true;
}

static bool pass_run(struct import *im, struct passage *p, struct error *err)
{
	struct import_artifact artifact = {0};
	struct arena_mark mark = arena_mark(&im->outer);
	bool is_end = false, has_artifacts = false;
	struct import_part part = part_of(p);
	bool sends_datasets_alone = datasets_bytes(p->run.datasets) > DATASETS_BYTES_MAX;
	part.tags = p->run.tags;
	part.params = p->run.params;
	part.model_inputs = p->run.model_inputs;
	part.model_outputs = p->run.model_outputs;
	part.points = im->points;
	if (!sends_datasets_alone)
		part.datasets = p->run.datasets;
	if (!next_artifact(im, &p->files, &artifact, &has_artifacts, err) ||
	    !fill_points(im, &part.point_count, &is_end, err))
		return false;
	bool is_all = is_end && !has_artifacts && !sends_datasets_alone;
	if (is_all)
		mark_end(im, p, &part);
	if (!send_part(im, p, &part, err))
		return false;
	bool is_taken = slice_is_present(p->files.artifact_uri);
	im->report.counts.runs += is_taken;
	bool ok = is_all || !is_taken ||
		  ((!sends_datasets_alone || send_datasets(im, p, err)) &&
		   (!has_artifacts || send_artifacts(im, &p->files, artifact, err)) &&
		   send_rest(im, p, is_end, err));
	arena_rewind(&im->outer, mark);
	return ok;
}

static bool import_run(struct import *im, struct passage *p, struct error *err)
{
	enum import_standing standing;
	plan_shipment(im, p->run.run_id, p->run.artifact_uri, &p->files);
	if (!import_digest(&p->run, p->files.is_wanted, p->digest, err) ||
	    !import_sink_standing(&im->sink, p->run.run_id, p->digest, &standing, err))
		return false;
	if (standing == IMPORT_IS_SAME) {
		im->report.counts.runs_skipped++;
		return true;
	}
	p->files.may_be_there = standing != IMPORT_IS_NEW;
	tell_unreadable(im, &p->files, p->run.artifact_uri);
	return pass_run(im, p, err);
}

/* ---- logged models ---------------------------------------------------------------------------- */

/* One request for a model without files; else its end comes behind them. */
static bool import_logged_model(struct import *im, const struct import_logged_model *model,
				int64_t experiment_id, struct error *err)
{
	struct import_artifact artifact = {0};
	struct arena_mark mark = arena_mark(&im->outer);
	enum import_standing standing;
	struct shipment files;
	bool has_artifacts = false;
	plan_shipment(im, model->model_id, model->artifact_uri, &files);
	if (!next_artifact(im, &files, &artifact, &has_artifacts, err) ||
	    !import_sink_logged_model(&im->sink, model, experiment_id, files.keeps_artifacts,
				      !has_artifacts, &im->inner, &standing, &files.artifact_uri,
				      err))
		return false;
	im->report.counts.logged_models += standing != IMPORT_IS_SAME;
	files.may_be_there = standing == IMPORT_IS_KNOWN;
	bool ok = true;
	if (standing != IMPORT_IS_SAME)
		tell_unreadable(im, &files, model->artifact_uri);
	if (has_artifacts && standing != IMPORT_IS_SAME && slice_is_present(files.artifact_uri))
		ok = send_artifacts(im, &files, artifact, err) &&
		     import_sink_logged_model(&im->sink, model, experiment_id,
					      files.keeps_artifacts, true, &im->inner, &standing,
					      &files.artifact_uri, err);
	arena_rewind(&im->outer, mark);
	return ok;
}

static bool import_logged_models(struct import *im, int64_t experiment_id, struct error *err)
{
	for (;;) {
		struct import_logged_model model = {0};
		bool found = false;
		arena_reset(&im->inner);
		if (is_interrupted(err) || !im->source->ops->next_logged_model(
						   im->source, &im->inner, &model, &found, err))
			return false;
		if (!found)
			return true;
		if (!import_logged_model(im, &model, experiment_id, err))
			return false;
	}
}

/* ---- registry --------------------------------------------------------------------------------- */

static bool import_versions(struct import *im, const struct import_model *model, struct error *err)
{
	for (;;) {
		struct import_version version = {0};
		bool found = false;
		arena_reset(&im->inner);
		if (is_interrupted(err) ||
		    !im->source->ops->next_version(im->source, &im->inner, &version, &found, err))
			return false;
		if (!found)
			return true;
		if (!import_sink_version(&im->sink, model, &version, err))
			return false;
	}
}

static bool import_models(struct import *im, struct error *err)
{
	for (;;) {
		struct import_model model = {0};
		bool found = false, taken = false;
		arena_reset(&im->outer);
		if (is_interrupted(err) ||
		    !im->source->ops->next_model(im->source, &im->outer, &model, &found, err))
			return false;
		if (!found)
			return true;
		if (!import_sink_model(&im->sink, &model, &taken, err) ||
		    (taken && !import_versions(im, &model, err)))
			return false;
	}
}

/* ---- the result ------------------------------------------------------------------------------- */

static bool tell(struct import *im, struct error *err)
{
	const char *verb = im->sink.api_or_null == NULL ? "would import" : "imported";
	return import_report_print(&im->report, verb, "imported", err);
}
