/* The endpoints that link datasets and logged models to a run (mlflow-api.md §5.8). */
#ifndef API_INPUTS_H
#define API_INPUTS_H

#include "api/endpoint.h"
#include "store/entities.h"

extern const struct endpoint runs_log_inputs;  /* POST runs/log-inputs */
extern const struct endpoint runs_log_outputs; /* POST runs/outputs */

/* An item of a list "datasets" in requests: {"tags": […], "dataset": {…}}. */
struct dataset_fields {
	struct slice name, digest, source_type, source, schema, profile;
};
struct dataset_entry {
	struct object_list tags;
	struct dataset_fields dataset;
};
extern const struct field dataset_entry_fields[];

/* An item of a list of logged models that a run made. */
struct output_entry {
	struct slice model_id;
	struct opt_i64 step;
};
extern const struct field output_entry_fields[];
MUST_CHECK bool output_entries_check(const struct object_list *entries, struct arena *arena,
				     struct model_output_list *out, struct error *err);

/* Checks every length; *out is in the arena and borrows the texts. Tags' absent values become "". */
MUST_CHECK bool dataset_entries_check(const struct object_list *entries, struct arena *arena,
				      struct dataset_input_list *out, struct error *err);

#endif
