/* All that tracker.db tells of a model version: the version itself, the run and the logged model it comes from, and its
 * files. What promotions check, and what comparisons and lineage show. Read in one transaction of the caller's. */
#ifndef API_VERSION_FACTS_H
#define API_VERSION_FACTS_H

#include "artifacts/artifact_tree.h"
#include "search/requirement_check.h"
#include "store/model_entities.h"

/* Where a figure of a version was found; "model" is its logged model. */
#define ORIGIN_MODEL "model"
#define ORIGIN_RUN "run"
#define ORIGIN_VERSION "version"
#define ORIGIN_FILES "files"

struct version_metric {
	struct slice key;
	double value; /* the newest */
	const char *origin;
};
struct version_metric_list {
	struct version_metric *items; /* sorted by key, each once */
	size_t count;
};
struct version_param {
	struct slice key, value;
	const char *origin;
};
struct version_param_list {
	struct version_param *items; /* sorted by key, each once */
	size_t count;
};

struct version_facts {
	struct model_version version; /* with its logged model, if it has one */
	const struct run *run_or_null; /* whole, deleted or not; NULL: it names none, or one that is not here */
	/* Of the logged model, and what it lacks of the run. */
	struct version_metric_list metrics;
	struct version_param_list params;
	struct artifact_sums sums; /* of its files */
	struct artifact_file_list files; /* sorted, paths relative to the version's location */
	struct slice tree_sha256;     /* in hexadecimal; empty without files */
	struct slice no_files_or_absent; /* why there are none here, as the end of a sentence */
};

/* What of its files is looked up: a tree of 100,000 takes half a second to list, a tenth of it to sum up. */
enum version_files {
	VERSION_FILES_NONE,
	VERSION_FILES_SUMS,
	VERSION_FILES_LISTED, /* with sums and digest */
};

/* Version `number` of model `name`, which must exist. */
MUST_CHECK bool version_facts_load(struct db *tracker, struct slice name, int64_t number, enum version_files files,
				   struct arena *arena, struct version_facts *out, struct error *err);

/* What the requirement is about, of this version. Size and number of files need their sums to have been looked up, the
 * digest the files themselves. */
struct requirement_figure version_facts_figure(const struct version_facts *facts,
					       const struct requirement *requirement, struct arena *arena);

/* "3" or "@champion": a version of the model, which need not exist in the first case. RESOURCE_DOES_NOT_EXIST for a
 * model or alias that is not there; `parameter` names what it came in, for messages. */
MUST_CHECK bool version_number_resolve(struct db *tracker, struct slice name, const char *parameter,
				       struct slice text, int64_t *number_out, struct error *err);

#endif
