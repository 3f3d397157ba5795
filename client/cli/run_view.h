/* Reading runs in MLflow's shape: their parts, their columns in tables, their JSON in trk's
 * output. */
#ifndef CLI_RUN_VIEW_H
#define CLI_RUN_VIEW_H

#include "cli/cli.h"
#include "cli/terminal.h"

struct slice run_id_of(const struct json_value *run);
/* A member of the run's info: "run_name". */
struct slice run_info(const struct json_value *run, const char *key);
int64_t run_start_ms(const struct json_value *run);
/* To its end, or to now_ms while it runs; -1 if it is not known. */
int64_t run_duration_ms(const struct json_value *run, int64_t now_ms);
enum terminal_style run_status_style(struct slice status);

/* The lists of the run's data: key and value each. */
enum run_part { RUN_METRICS, RUN_PARAMS, RUN_TAGS };
const struct json_value *run_list(const struct json_value *run, enum run_part part);
/* The item with that key, or NULL. */
const struct json_value *run_find(const struct json_value *run, enum run_part part,
				  struct slice key);
/* Is this a tag that the client or the server set by itself? */
bool run_tag_is_automatic(struct slice key);

/* A column by name: run_id, name, status, start, end, duration, user, experiment_id,
 * lifecycle_stage, metrics.K, params.K, tags.K; any other word is looked for among metrics, then
 * params, then tags. Absent if the run has no such thing. */
struct slice run_column(struct cli *cli, const struct json_value *run, struct slice name,
			int64_t now_ms);

/* Is this the name of a column that every run has, rather than of a metric, parameter or tag? */
bool run_column_is_attribute(struct slice name);

/* The run as trk prints it: {"run_id", "run_name", "experiment_id", "status", "lifecycle_stage",
 * "start_time", "end_time"?, "user_id", "artifact_uri", "metrics": {key: last value}, "params":
 * {…}, "tags": {…}, …}. The object is left open for more members. */
void run_json_open(struct json_writer *w, const struct json_value *run);

#endif
