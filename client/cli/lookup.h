/* From what a person types to what the server knows: experiments by name or id, runs by id or its
 * beginning. */
#ifndef CLI_LOOKUP_H
#define CLI_LOOKUP_H

#include "cli/cli.h"

struct experiment_ref {
	struct slice id, name;
};

/* By name first, then, for digits, by id. Deleted ones too. Fails with RESOURCE_DOES_NOT_EXIST. */
MUST_CHECK bool lookup_experiment(struct cli *cli, const char *name_or_id,
				  struct experiment_ref *out, struct error *err);
/* The ids of all experiments as a list of strings in JSON. With `with_deleted` also of deleted
 * ones. */
MUST_CHECK bool lookup_experiment_ids(struct cli *cli, bool with_deleted, struct slice *json_out,
				      struct error *err);

enum { RUN_PREFIX_MIN = 6, RUN_ID_LEN = 32 };
/* A whole id is taken as it is. A beginning of six digits or more must fit one run of any
 * experiment, deleted or not. */
MUST_CHECK bool lookup_run(struct cli *cli, const char *id_or_prefix, struct slice *run_id_out,
			   struct error *err);
/* The run itself, in MLflow's shape. */
MUST_CHECK bool lookup_run_entity(struct cli *cli, const char *id_or_prefix,
				  const struct json_value **run_out, struct error *err);
/* Where the run's artifacts are behind the server's artifact proxy: "1/<run id>/artifacts". Fails
 * for runs whose artifacts are stored elsewhere. */
MUST_CHECK bool lookup_artifact_root(struct cli *cli, struct slice run_id, struct slice *path_out,
				     struct error *err);

#endif
