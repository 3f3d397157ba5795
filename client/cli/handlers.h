/* The functions that the rows of the table of commands name; each is defined in the file of its
 * noun. */
#ifndef CLI_HANDLERS_H
#define CLI_HANDLERS_H

#include "cli/cli.h"

typedef bool command_fn(struct cli *cli, struct error *err);

command_fn experiments_list, experiments_create, experiments_show, experiments_rename,
	experiments_delete, experiments_restore;
command_fn runs_list, runs_delete, runs_restore;
command_fn gc;
command_fn run_show, run_diff;
command_fn best;
command_fn log_run_start, log_param, log_metric, log_tag, log_artifact, log_run_end;
command_fn artifacts_ls, artifacts_get, artifacts_put;
command_fn models_create, models_list, models_show, models_register, models_alias, models_delete;
command_fn promote, models_rollback, models_require, models_diff, models_lineage;
command_fn models_history, models_verify, models_restore;
command_fn model_get, deploy, serve;
command_fn events;
command_fn deployments_list, deployments_show, deployments_forget;
command_fn webhooks_list, webhooks_create, webhooks_delete, webhooks_test, webhooks_log,
	webhooks_replay;
command_fn export_mlflow, import_mlflow;
command_fn sync_spools, doctor, ui, completion, version;

#endif
