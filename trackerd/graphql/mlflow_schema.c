/* The types behind the queries of MLflow's web page, read from the messages of mlflow-api.md §3 and the queries
 * themselves (§11). */
#include "graphql/gql_schema.h"

#include <stddef.h>

// clang-format off
#define TEXT(name)          {name, GQL_TEXT,    false, false, NULL}
#define TEXTS(name)         {name, GQL_TEXT,    true,  false, NULL}
#define LONG(name)          {name, GQL_LONG,    false, false, NULL}
#define DOUBLE(name)        {name, GQL_DOUBLE,  false, false, NULL}
#define BOOL(name)          {name, GQL_BOOL,    false, false, NULL}
#define ENUM(name)          {name, GQL_ENUM,    false, false, NULL}
#define OBJECT(name, type)  {name, GQL_OBJECT,  false, false, &(type)}
#define OBJECTS(name, type) {name, GQL_OBJECT,  true,  false, &(type)}
#define NOTHING(name, type) {name, GQL_NOTHING, false, false, &(type)}
#define ASKED(name, type)   {name, GQL_OBJECT,  false, true,  &(type)}
#define ASKED_LIST(name, type) {name, GQL_OBJECT, true, true, &(type)}
#define END                 {NULL, GQL_TEXT,    false, false, NULL}
#define TYPE(variable, graphql_name, ...)                                                        \
	static const struct gql_field variable##_fields[] = {__VA_ARGS__, END};                  \
	static const struct gql_type variable = {graphql_name, variable##_fields}

/* Errors of a field come in the reply's `errors`; this one exists for the page's other servers. */
TYPE(api_error, "ApiError", TEXT("code"), TEXT("message"), TEXT("help_url"));

TYPE(experiment_tag, "MlflowExperimentTag", TEXT("key"), TEXT("value"));
TYPE(experiment, "MlflowExperiment",
	TEXT("experiment_id"), TEXT("name"), TEXT("artifact_location"), TEXT("lifecycle_stage"),
	LONG("last_update_time"), LONG("creation_time"), OBJECTS("tags", experiment_tag),
	TEXT("effective_trace_archival_retention"), TEXT("workspace"));
TYPE(get_experiment, "MlflowGetExperimentResponse",
	OBJECT("experiment", experiment), NOTHING("api_error", api_error));

TYPE(model_param, "MlflowModelParam", TEXT("name"), TEXT("value"));
TYPE(model_metric, "MlflowModelMetric",
	TEXT("key"), DOUBLE("value"), LONG("timestamp"), LONG("step"), TEXT("dataset_name"),
	TEXT("dataset_digest"), TEXT("model_id"), TEXT("run_id"));
TYPE(version_tag, "MlflowModelVersionTag", TEXT("key"), TEXT("value"));
TYPE(job_state, "MlflowModelVersionDeploymentJobState",
	TEXT("job_id"), TEXT("run_id"), ENUM("job_state"), ENUM("run_state"), TEXT("current_task_name"));
TYPE(model_version, "MlflowModelVersion",
	TEXT("name"), TEXT("version"), LONG("creation_timestamp"), LONG("last_updated_timestamp"),
	TEXT("user_id"), TEXT("current_stage"), TEXT("description"), TEXT("source"), TEXT("run_id"),
	ENUM("status"), TEXT("status_message"), OBJECTS("tags", version_tag), TEXT("run_link"),
	TEXTS("aliases"), TEXT("model_id"), OBJECTS("model_params", model_param),
	OBJECTS("model_metrics", model_metric), NOTHING("deployment_job_state", job_state));
TYPE(search_versions, "MlflowSearchModelVersionsResponse",
	OBJECTS("model_versions", model_version), TEXT("next_page_token"), NOTHING("api_error", api_error));

TYPE(run_info, "MlflowRunInfo",
	TEXT("run_id"), TEXT("run_uuid"), TEXT("run_name"), TEXT("experiment_id"), TEXT("user_id"),
	ENUM("status"), LONG("start_time"), LONG("end_time"), TEXT("artifact_uri"), TEXT("lifecycle_stage"));
TYPE(metric, "MlflowMetricExtension",
	TEXT("key"), DOUBLE("value"), LONG("timestamp"), LONG("step"), TEXT("dataset_name"),
	TEXT("dataset_digest"), TEXT("model_id"), TEXT("run_id"));
TYPE(param, "MlflowParam", TEXT("key"), TEXT("value"));
TYPE(run_tag, "MlflowRunTag", TEXT("key"), TEXT("value"));
TYPE(run_data, "MlflowRunData", OBJECTS("metrics", metric), OBJECTS("params", param), OBJECTS("tags", run_tag));
TYPE(dataset, "MlflowDataset",
	TEXT("name"), TEXT("digest"), TEXT("source_type"), TEXT("source"), TEXT("schema"), TEXT("profile"));
TYPE(input_tag, "MlflowInputTag", TEXT("key"), TEXT("value"));
TYPE(dataset_input, "MlflowDatasetInput", OBJECTS("tags", input_tag), OBJECT("dataset", dataset));
TYPE(model_input, "MlflowModelInput", TEXT("model_id"));
TYPE(run_inputs, "MlflowRunInputs",
	OBJECTS("dataset_inputs", dataset_input), OBJECTS("model_inputs", model_input));
TYPE(model_output, "MlflowModelOutput", TEXT("model_id"), LONG("step"));
TYPE(run_outputs, "MlflowRunOutputs", OBJECTS("model_outputs", model_output));
TYPE(run, "MlflowRunExtension",
	OBJECT("info", run_info), OBJECT("data", run_data), OBJECT("inputs", run_inputs),
	OBJECT("outputs", run_outputs), ASKED("experiment", experiment),
	ASKED_LIST("model_versions", model_version));
TYPE(get_run, "MlflowGetRunResponse", OBJECT("run", run), NOTHING("api_error", api_error));
TYPE(search_runs, "MlflowSearchRunsResponse",
	OBJECTS("runs", run), TEXT("next_page_token"), NOTHING("api_error", api_error));

TYPE(dataset_summary, "MlflowDatasetSummary",
	TEXT("experiment_id"), TEXT("name"), TEXT("digest"), TEXT("context"));
TYPE(search_datasets, "MlflowSearchDatasetsResponse",
	OBJECTS("dataset_summaries", dataset_summary), NOTHING("api_error", api_error));

TYPE(metric_with_run_id, "MlflowMetricWithRunId",
	TEXT("key"), DOUBLE("value"), LONG("timestamp"), LONG("step"), TEXT("run_id"));
TYPE(history, "MlflowGetMetricHistoryBulkIntervalResponse",
	OBJECTS("metrics", metric_with_run_id), NOTHING("api_error", api_error));

TYPE(file_info, "MlflowFileInfo", TEXT("path"), BOOL("is_dir"), LONG("file_size"));
TYPE(list_artifacts, "MlflowListArtifactsResponse",
	TEXT("root_uri"), OBJECTS("files", file_info), TEXT("next_page_token"), NOTHING("api_error", api_error));

static const struct gql_field query_fields[] = {
	ASKED("mlflow_get_experiment", get_experiment),
	ASKED("mlflow_get_metric_history_bulk_interval", history),
	ASKED("mlflow_get_run", get_run),
	ASKED("mlflow_list_artifacts", list_artifacts),
	ASKED("mlflow_search_model_versions", search_versions),
	ASKED("mlflow_search_runs", search_runs),
	END,
};
static const struct gql_field mutation_fields[] = {
	ASKED("mlflow_search_datasets", search_datasets),
	ASKED("mlflow_search_runs", search_runs),
	END,
};
// clang-format on

const struct gql_type mlflow_query_type = {"Query", query_fields};
const struct gql_type mlflow_mutation_type = {"Mutation", mutation_fields};
