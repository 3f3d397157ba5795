/* Where an import writes to: the daemon's endpoints below /api/trackerd/v1/import/, and its artifact store.
 *
 * Every request may be sent again, and is when the server is busy or away for a moment. What the server refuses
 * for itself (a key it does not take, a parameter that changed) is told to the report by name, and the rest goes
 * on; a function fails only when the import cannot. A dry sink accepts all and sends nothing. One thread. */
#ifndef CLI_IMPORT_SINK_H
#define CLI_IMPORT_SINK_H

#include "base/json_writer.h"
#include "cli/api.h"
#include "cli/import_source.h"

struct import_sink {
	struct cli *cli;
	struct import_report *report;
	struct api *api_or_null; /* NULL: dry */
	struct arena arena;	 /* of one request */
	struct buffer body;
	struct json_writer w;
};

/* Asks the server whether it takes imports. Keeps cli and report; close with import_sink_close. */
MUST_CHECK bool import_sink_open(struct import_sink *sink, struct cli *cli, struct import_report *report, bool is_dry,
				 struct error *err);
void import_sink_close(struct import_sink *sink);

/* *id_out: the number that the experiment has here; *taken_out is false when the server refused it. */
MUST_CHECK bool import_sink_experiment(struct import_sink *sink, const struct import_experiment *experiment,
				       bool keeps_location, int64_t *id_out, bool *taken_out, struct error *err);

/* A part of a run: all items of the lists, and with is_whole the run's end. */
struct import_part {
	const struct import_run *run;
	int64_t experiment_id; /* here */
	bool keeps_artifacts;
	struct import_pairs tags, params;
	const struct import_point *points;
	size_t point_count;
	struct import_datasets datasets;
	struct import_model_links model_inputs, model_outputs;
	bool is_whole;
	const char *digest; /* with is_whole */
};

enum import_standing {
	IMPORT_IS_NEW,	 /* nothing of it is there */
	IMPORT_IS_KNOWN, /* something is: a part, an older state, or a run of the same id that no import made */
	IMPORT_IS_SAME,	 /* it was brought over whole, and had this digest */
};
MUST_CHECK bool import_sink_standing(struct import_sink *sink, struct slice run_id, const char *digest,
				     enum import_standing *out, struct error *err);
/* *uri_out, in the arena: where its artifacts belong; absent when the server refused the run itself. */
MUST_CHECK bool import_sink_run(struct import_sink *sink, const struct import_part *part, struct arena *arena,
				struct slice *uri_out, struct error *err);

/* All of a logged model but its artifacts; with is_whole also its end. *standing_out: what was there before;
 * *uri_out is like that of import_sink_run. */
MUST_CHECK bool import_sink_logged_model(struct import_sink *sink, const struct import_logged_model *model,
					 int64_t experiment_id, bool keeps_artifacts, bool is_whole,
					 struct arena *arena, enum import_standing *standing_out,
					 struct slice *uri_out, struct error *err);

MUST_CHECK bool import_sink_model(struct import_sink *sink, const struct import_model *model, bool *taken_out,
				  struct error *err);
/* With the aliases of the model that point at it. */
MUST_CHECK bool import_sink_version(struct import_sink *sink, const struct import_model *model,
				    const struct import_version *version, struct error *err);

/* Stores a file below `root`, a path behind the artifact proxy. With `may_be_there` only if it is not there yet with
 * the same bytes. */
MUST_CHECK bool import_sink_artifact(struct import_sink *sink, struct slice root,
				     const struct import_artifact *artifact, int fd, bool may_be_there,
				     struct error *err);

#endif
