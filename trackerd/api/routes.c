/* THE table: every route of the daemon. schema/openapi.yaml describes the same rows; a test compares the two. */
#include "api/alias_get.h"
#include "api/archive.h"
#include "api/artifacts.h"
#include "api/assessments.h"
#include "api/batch.h"
#include "api/dataset_search.h"
#include "api/deployments.h"
#include "api/events.h"
#include "api/experiments.h"
#include "api/gc.h"
#include "api/graphql.h"
#include "api/import.h"
#include "api/inputs.h"
#include "api/log_model.h"
#include "api/logged_model_search.h"
#include "api/logged_models.h"
#include "api/manifest.h"
#include "api/metrics.h"
#include "api/mlflow_ui.h"
#include "api/model_history.h"
#include "api/model_versions.h"
#include "api/model_rules.h"
#include "api/models.h"
#include "api/multipart.h"
#include "api/page.h"
#include "api/presigned.h"
#include "api/promotions.h"
#include "api/rollback.h"
#include "api/router.h"
#include "api/runs.h"
#include "api/search.h"
#include "api/system.h"
#include "api/tags.h"
#include "api/trace_changes.h"
#include "api/trace_spans.h"
#include "api/traces.h"
#include "api/traces_v2.h"
#include "api/version_diff.h"
#include "api/version_lineage.h"
#include "api/webhooks.h"

// clang-format off
const struct route routes[] = {
	/* The daemon itself. */
	{HTTP_GET,    "/health",                                                &system_health},
	{HTTP_GET,    "/version",                                               &system_version},
	{HTTP_GET,    "/metrics",                                               &system_metrics},
	{HTTP_GET,    "/api/3.0/mlflow/server-info",                            &system_server_info},
	{HTTP_GET,    "/api/trackerd/v1/events",                                &events_follow},
	{HTTP_GET,    "/api/trackerd/v1/server",                                &system_server},
	{HTTP_GET,    "/api/trackerd/v1/gc",                                    &gc_plan},
	{HTTP_POST,   "/api/trackerd/v1/gc",                                    &gc_run},

	/* Experiments. */
	{HTTP_POST,   "/api/2.0/mlflow/experiments/create",                     &experiments_create},
	{HTTP_GET,    "/api/2.0/mlflow/experiments/get",                        &experiments_get},
	{HTTP_GET,    "/api/2.0/mlflow/experiments/get-by-name",                &experiments_get_by_name},
	{HTTP_GET,    "/api/2.0/mlflow/experiments/search",                     &experiments_search},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/search",                     &experiments_search},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/search-datasets",            &datasets_search},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/delete",                     &experiments_delete},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/restore",                    &experiments_restore},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/update",                     &experiments_update},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/set-experiment-tag",         &experiments_set_tag},
	{HTTP_POST,   "/api/2.0/mlflow/experiments/delete-experiment-tag",      &experiments_delete_tag},

	/* Runs and what they log. */
	{HTTP_POST,   "/api/2.0/mlflow/runs/create",                            &runs_create},
	{HTTP_GET,    "/api/2.0/mlflow/runs/get",                               &runs_get},
	{HTTP_POST,   "/api/2.0/mlflow/runs/update",                            &runs_update},
	{HTTP_POST,   "/api/2.0/mlflow/runs/delete",                            &runs_delete},
	{HTTP_POST,   "/api/2.0/mlflow/runs/restore",                           &runs_restore},
	{HTTP_POST,   "/api/2.0/mlflow/runs/search",                            &runs_search},
	{HTTP_POST,   "/api/2.0/mlflow/runs/log-metric",                        &runs_log_metric},
	{HTTP_POST,   "/api/2.0/mlflow/runs/log-parameter",                     &runs_log_parameter},
	{HTTP_POST,   "/api/2.0/mlflow/runs/log-batch",                         &runs_log_batch},
	{HTTP_POST,   "/api/2.0/mlflow/runs/log-inputs",                        &runs_log_inputs},
	{HTTP_POST,   "/api/2.0/mlflow/runs/outputs",                           &runs_log_outputs},
	{HTTP_POST,   "/api/2.0/mlflow/runs/log-model",                         &runs_log_model},
	{HTTP_POST,   "/api/2.0/mlflow/runs/set-tag",                           &runs_set_tag},
	{HTTP_POST,   "/api/2.0/mlflow/runs/delete-tag",                        &runs_delete_tag},
	{HTTP_GET,    "/api/trackerd/v1/runs/best",                             &runs_best},

	/* Curves. */
	{HTTP_GET,    "/api/2.0/mlflow/metrics/get-history",                    &metrics_get_history},
	{HTTP_GET,    "/api/2.0/mlflow/metrics/get-history-bulk",               &metrics_history_bulk},
	{HTTP_GET,    "/api/2.0/mlflow/metrics/get-history-bulk-interval",      &metrics_history_bulk_interval},
	{HTTP_GET,    "/api/trackerd/v1/metrics/curves",                        &metrics_curves},
	{HTTP_GET,    "/api/trackerd/v1/metrics/summary",                       &metrics_summary},

	/* Artifacts. */
	{HTTP_GET,    "/api/2.0/mlflow/artifacts/list",                         &artifacts_list_run},
	{HTTP_GET,    "/get-artifact",                                          &artifacts_get_run},
	{HTTP_GET,    "/model-versions/get-artifact",                           &artifacts_get_version},
	{HTTP_POST,   "/api/2.0/mlflow/upload-artifact",                        &artifacts_upload_run},
	{HTTP_GET,    "/api/2.0/mlflow-artifacts/artifacts",                    &artifacts_list},
	{HTTP_PUT,    "/api/2.0/mlflow-artifacts/artifacts/{path...}",          &artifacts_put},
	{HTTP_GET,    "/api/2.0/mlflow-artifacts/artifacts/{path...}",          &artifacts_get},
	{HTTP_DELETE, "/api/2.0/mlflow-artifacts/artifacts/{path...}",          &artifacts_delete},
	{HTTP_POST,   "/api/2.0/mlflow-artifacts/mpu/create/{path...}",         &multipart_create},
	{HTTP_POST,   "/api/2.0/mlflow-artifacts/mpu/complete/{path...}",       &multipart_complete},
	{HTTP_POST,   "/api/2.0/mlflow-artifacts/mpu/abort/{path...}",          &multipart_abort},
	{HTTP_GET,    "/api/trackerd/v1/uploads/{upload_id}",                   &multipart_get},
	{HTTP_PUT,    "/api/trackerd/v1/uploads/{upload_id}/parts/{part_number}", &multipart_put_part},
	{HTTP_GET,    "/api/2.0/mlflow-artifacts/presigned/{path...}",          &presigned_get},
	{HTTP_POST,   "/api/2.0/mlflow/artifacts/presigned-upload-url",         &presigned_upload},
	{HTTP_POST,   "/api/2.0/mlflow/artifacts/presigned-download-url",       &presigned_download},
	{HTTP_PUT,    "/api/trackerd/v1/archive/{path...}",                     &archive_put},
	{HTTP_GET,    "/api/trackerd/v1/archive/{path...}",                     &archive_get},
	{HTTP_GET,    "/api/trackerd/v1/manifest/{path...}",                    &manifest_get},

	/* Logged models. */
	{HTTP_POST,   "/api/2.0/mlflow/logged-models",                          &logged_models_create},
	{HTTP_POST,   "/api/2.0/mlflow/logged-models/search",                   &logged_models_search},
	{HTTP_GET,    "/api/2.0/mlflow/logged-models/{model_id}",               &logged_models_get},
	{HTTP_PATCH,  "/api/2.0/mlflow/logged-models/{model_id}",               &logged_models_finalize},
	{HTTP_DELETE, "/api/2.0/mlflow/logged-models/{model_id}",               &logged_models_delete},
	{HTTP_PATCH,  "/api/2.0/mlflow/logged-models/{model_id}/tags",          &logged_models_set_tags},
	{HTTP_DELETE, "/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key...}", &logged_models_delete_tag},
	{HTTP_POST,   "/api/2.0/mlflow/logged-models/{model_id}/params",        &logged_models_log_params},
	{HTTP_GET,    "/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories", &artifacts_list_logged_model},
	{HTTP_GET,    "/api/2.0/mlflow/logged-models/{model_id}/artifacts/files", &artifacts_get_logged_model},

	/* Registry. */
	{HTTP_POST,   "/api/2.0/mlflow/registered-models/create",               &models_create},
	{HTTP_GET,    "/api/2.0/mlflow/registered-models/get",                  &models_get},
	{HTTP_GET,    "/api/2.0/mlflow/registered-models/search",               &models_search},
	{HTTP_POST,   "/api/2.0/mlflow/registered-models/rename",               &models_rename},
	{HTTP_PATCH,  "/api/2.0/mlflow/registered-models/update",               &models_update},
	{HTTP_DELETE, "/api/2.0/mlflow/registered-models/delete",               &models_delete},
	{HTTP_POST,   "/api/2.0/mlflow/registered-models/set-tag",              &models_set_tag},
	{HTTP_DELETE, "/api/2.0/mlflow/registered-models/delete-tag",           &models_delete_tag},
	{HTTP_GET,    "/api/2.0/mlflow/registered-models/get-latest-versions",  &models_latest},
	{HTTP_POST,   "/api/2.0/mlflow/registered-models/get-latest-versions",  &models_latest},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/aliases/{alias}",         &alias_get},
	{HTTP_POST,   "/api/2.0/mlflow/registered-models/alias",                &models_set_alias},
	{HTTP_GET,    "/api/2.0/mlflow/registered-models/alias",                &models_get_alias},
	{HTTP_DELETE, "/api/2.0/mlflow/registered-models/alias",                &models_delete_alias},
	{HTTP_POST,   "/api/2.0/mlflow/model-versions/create",                  &model_versions_create},
	{HTTP_GET,    "/api/2.0/mlflow/model-versions/get",                     &model_versions_get},
	{HTTP_GET,    "/api/2.0/mlflow/model-versions/search",                  &model_versions_search},
	{HTTP_PATCH,  "/api/2.0/mlflow/model-versions/update",                  &model_versions_update},
	{HTTP_DELETE, "/api/2.0/mlflow/model-versions/delete",                  &model_versions_delete},
	{HTTP_POST,   "/api/2.0/mlflow/model-versions/set-tag",                 &model_versions_set_tag},
	{HTTP_DELETE, "/api/2.0/mlflow/model-versions/delete-tag",              &model_versions_delete_tag},
	{HTTP_GET,    "/api/2.0/mlflow/model-versions/get-download-uri",        &model_versions_download_uri},
	{HTTP_POST,   "/api/2.0/mlflow/model-versions/transition-stage",        &model_versions_transition},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/rules",                   &model_rules_get},
	{HTTP_PUT,    "/api/trackerd/v1/models/{name}/rules",                   &model_rules_put},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/check",                   &promotions_check},
	{HTTP_POST,   "/api/trackerd/v1/models/{name}/promote",                 &promotions_create},
	{HTTP_POST,   "/api/trackerd/v1/models/{name}/rollback",                &rollback_create},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/diff",                    &version_diff},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/lineage",                 &version_lineage},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/history",                 &model_history_list},
	{HTTP_GET,    "/api/trackerd/v1/models/{name}/at",                      &model_history_at},
	{HTTP_POST,   "/api/trackerd/v1/models/{name}/restore",                 &model_history_restore},
	{HTTP_GET,    "/api/trackerd/v1/registry/verify",                       &registry_verify},

	/* What another tracker kept. */
	{HTTP_POST,   "/api/trackerd/v1/import/experiment",                     &import_experiment},
	{HTTP_GET,    "/api/trackerd/v1/import/run",                            &import_run_get_state},
	{HTTP_POST,   "/api/trackerd/v1/import/run",                            &import_run},
	{HTTP_POST,   "/api/trackerd/v1/import/logged-model",                   &import_logged_model},
	{HTTP_POST,   "/api/trackerd/v1/import/model",                          &import_model},
	{HTTP_POST,   "/api/trackerd/v1/import/model-version",                  &import_model_version},
	/* MLflow's own page. */
	{HTTP_POST,   "/graphql",                                               &graphql_post},
	{HTTP_GET,    "/mlflow",                                                &mlflow_ui_redirect},
	{HTTP_GET,    "/mlflow/",                                               &mlflow_ui_index},
	{HTTP_GET,    "/mlflow/static-files/{path...}",                         &mlflow_ui_file},
	{HTTP_GET,    "/api/2.0/mlflow/gateway-proxy",                          &mlflow_ui_gateway},
	{HTTP_POST,   "/api/2.0/mlflow/gateway-proxy",                          &mlflow_ui_gateway},
	{HTTP_GET,    "/api/3.0/mlflow/ui-telemetry",                           &mlflow_ui_telemetry},
	{HTTP_POST,   "/api/3.0/mlflow/ui-telemetry",                           &mlflow_ui_telemetry},

	/* Traces. */
	{HTTP_POST,   "/api/3.0/mlflow/traces",                                 &traces_start},
	{HTTP_GET,    "/api/3.0/mlflow/traces/{trace_id}",                      &traces_get_info},
	{HTTP_GET,    "/api/3.0/mlflow/traces/get",                             &traces_get},
	{HTTP_GET,    "/api/3.0/mlflow/traces/batchGet",                        &traces_get_batch},
	{HTTP_POST,   "/api/3.0/mlflow/traces/batchGetInfos",                   &traces_get_infos},
	{HTTP_GET,    "/api/3.0/mlflow/get-trace-artifact",                     &traces_get_artifact},
	{HTTP_GET,    "/api/2.0/mlflow/get-trace-artifact",                     &traces_get_artifact},
	{HTTP_POST,   "/api/3.0/mlflow/traces/search",                          &traces_search},
	{HTTP_POST,   "/api/3.0/mlflow/traces/delete-traces",                   &traces_delete},
	{HTTP_PATCH,  "/api/3.0/mlflow/traces/{trace_id}/tags",                 &traces_set_tag},
	{HTTP_DELETE, "/api/3.0/mlflow/traces/{trace_id}/tags",                 &traces_delete_tag},
	{HTTP_POST,   "/api/3.0/mlflow/traces/{trace_id}/assessments",          &assessments_create},
	{HTTP_GET,    "/api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", &assessments_get},
	{HTTP_PATCH,  "/api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", &assessments_update},
	{HTTP_DELETE, "/api/3.0/mlflow/traces/{trace_id}/assessments/{assessment_id}", &assessments_delete},
	{HTTP_POST,   "/api/2.0/mlflow/traces/link-to-run",                     &traces_link_run},
	{HTTP_POST,   "/api/2.0/mlflow/traces/link-prompts",                    &traces_link_prompts},
	{HTTP_POST,   "/api/2.0/mlflow/traces",                                 &traces_v2_start},
	{HTTP_GET,    "/api/2.0/mlflow/traces",                                 &traces_v2_search},
	{HTTP_PATCH,  "/api/2.0/mlflow/traces/{request_id}",                    &traces_v2_end},
	{HTTP_GET,    "/api/2.0/mlflow/traces/{request_id}/info",               &traces_v2_get_info},
	{HTTP_POST,   "/api/2.0/mlflow/traces/delete-traces",                   &traces_delete},
	{HTTP_PATCH,  "/api/2.0/mlflow/traces/{request_id}/tags",               &traces_set_tag},
	{HTTP_DELETE, "/api/2.0/mlflow/traces/{request_id}/tags",               &traces_delete_tag},

	/* Webhooks. */
	{HTTP_POST,   "/api/2.0/mlflow/webhooks",                               &webhooks_create},
	{HTTP_GET,    "/api/2.0/mlflow/webhooks",                               &webhooks_search},
	{HTTP_GET,    "/api/2.0/mlflow/webhooks/{webhook_id}",                  &webhooks_get},
	{HTTP_PATCH,  "/api/2.0/mlflow/webhooks/{webhook_id}",                  &webhooks_update},
	{HTTP_DELETE, "/api/2.0/mlflow/webhooks/{webhook_id}",                  &webhooks_delete},
	{HTTP_POST,   "/api/2.0/mlflow/webhooks/{webhook_id}/test",             &webhooks_test},
	{HTTP_GET,    "/api/trackerd/v1/webhooks/{webhook_id}/deliveries",      &webhook_log_list},
	{HTTP_POST,   "/api/trackerd/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay", &webhook_log_replay},

	/* What runs where. */
	{HTTP_GET,    "/api/trackerd/v1/deployments",                           &deployments_search},
	{HTTP_GET,    "/api/trackerd/v1/deployments/{deployment_id}",           &deployments_get},
	{HTTP_PUT,    "/api/trackerd/v1/deployments/{deployment_id}",           &deployments_report},
	{HTTP_DELETE, "/api/trackerd/v1/deployments/{deployment_id}",           &deployments_forget},
	{HTTP_POST,   "/api/trackerd/v1/deployments/{deployment_id}/heartbeat", &deployments_heartbeat},
	{HTTP_GET,    "/api/trackerd/v1/deployments/{deployment_id}/history",   &deployments_history},

	/* The page: everything else that is asked for with GET. */
	{HTTP_GET,    "/{path...}",                                             &page_file},
};
// clang-format on

const size_t routes_count = ARRAY_COUNT(routes);
