/* Owns how a run comes to be on the server. */
#include "src/delivery_run.h"

#include <stdio.h>
#include <string.h>

#include "src/reply.h"
#include "src/request.h"

static enum delivery_outcome create_run(struct delivery *d, const struct record_start *start,
					struct error *err);
static enum delivery_outcome continue_run(struct delivery *d, const struct record_start *start,
					  struct error *err);
static enum delivery_outcome find_experiment(struct delivery *d, struct slice name, char *id,
					     size_t id_bytes, struct error *err);
static enum exchange_result get_run(struct delivery *d, struct error *err);
static void learn_artifact_root(struct delivery *d, const char *path);

enum delivery_outcome delivery_run_start(struct delivery *d, const struct record_start *start,
					 struct error *err)
{
	if (!start->is_continued)
		return create_run(d, start, err);
	enum exchange_result result = get_run(d, err);
	if (result == EXCHANGE_NOT_FOUND)
		return create_run(d, start, err);
	if (result != EXCHANGE_OK)
		return exchange_outcome(result);
	return continue_run(d, start, err);
}

enum delivery_outcome delivery_run_check(struct delivery *d, struct error *err)
{
	char stage[32];
	enum exchange_result result = get_run(d, err);
	if (result != EXCHANGE_OK)
		return exchange_outcome(result);
	learn_artifact_root(d, "run.info.artifact_uri");
	if (!reply_text(buffer_slice(&d->reply.body), "run.info.lifecycle_stage", stage,
			sizeof stage) ||
	    strcmp(stage, "deleted") != 0)
		return DELIVERY_PROGRESS;
	error_set(err, ERR_BAD_REQUEST, "the run is deleted on the server");
	return DELIVERY_REFUSED;
}

static enum delivery_outcome create_run(struct delivery *d, const struct record_start *start,
					struct error *err)
{
	char experiment_id[32];
	char run_id[RANDOM_ID_HEX_LEN + 2];
	enum delivery_outcome outcome =
		find_experiment(d, start->experiment, experiment_id, sizeof experiment_id, err);
	if (outcome != DELIVERY_PROGRESS)
		return outcome;
	buffer_reset(&d->body);
	request_create_run(&d->body, d->run_id, experiment_id, start);
	outcome = exchange_outcome(exchange_post(d, "/api/2.0/mlflow/runs/create", err));
	if (outcome != DELIVERY_PROGRESS)
		return outcome;
	if (!reply_text(buffer_slice(&d->reply.body), "run.info.run_id", run_id, sizeof run_id) ||
	    strcmp(run_id, d->run_id) != 0) {
		/* Trying again would make a stray run each time. */
		d->server_is_foreign = true;
		error_set(err, ERR_BAD_REQUEST,
			  "the server does not take run ids from clients: it is not a trackerd");
		return DELIVERY_REFUSED;
	}
	learn_artifact_root(d, "run.info.artifact_uri");
	return DELIVERY_PROGRESS;
}

static enum delivery_outcome continue_run(struct delivery *d, const struct record_start *start,
					  struct error *err)
{
	learn_artifact_root(d, "run.info.artifact_uri");
	buffer_reset(&d->body);
	request_update_run(&d->body, d->run_id, SLICE("RUNNING"), -1);
	enum delivery_outcome outcome =
		exchange_outcome(exchange_post(d, "/api/2.0/mlflow/runs/update", err));
	struct slice tags = start->tags;
	for (uint32_t left = start->given_tags_count; outcome == DELIVERY_PROGRESS && left > 0;) {
		uint32_t count = left < DELIVERY_TAGS_MAX ? left : DELIVERY_TAGS_MAX;
		buffer_reset(&d->body);
		request_log_tags(&d->body, d->run_id, &tags, count);
		outcome = exchange_outcome(exchange_post(d, "/api/2.0/mlflow/runs/log-batch", err));
		left -= count;
	}
	return outcome;
}

/* By name; makes it if there is none. Two programs may do so at once: then the loser asks again. */
static enum delivery_outcome find_experiment(struct delivery *d, struct slice name, char *id,
					     size_t id_bytes, struct error *err)
{
	struct buffer path;
	char code[64];
	char stage[32];
	buffer_init(&path, 64 * 1024);
	buffer_append_cstr(&path, "/api/2.0/mlflow/experiments/get-by-name?experiment_name=");
	transport_encode_value(name, &path);
	buffer_append_byte(&path, '\0');
	if (!buffer_check(&path, "the experiment's name", err)) {
		buffer_deinit(&path);
		return DELIVERY_RETRY;
	}
	enum exchange_result result = exchange_get(d, buffer_slice(&path).ptr, err);
	if (result == EXCHANGE_NOT_FOUND) {
		buffer_reset(&d->body);
		request_create_experiment(&d->body, name);
		result = exchange_post(d, "/api/2.0/mlflow/experiments/create", err);
		if (result == EXCHANGE_OK &&
		    reply_text(buffer_slice(&d->reply.body), "experiment_id", id, id_bytes)) {
			buffer_deinit(&path);
			return DELIVERY_PROGRESS;
		}
		exchange_error_code(d, code, sizeof code);
		if (result == EXCHANGE_BAD && strcmp(code, "RESOURCE_ALREADY_EXISTS") == 0)
			result = exchange_get(d, buffer_slice(&path).ptr, err);
	}
	buffer_deinit(&path);
	if (result != EXCHANGE_OK)
		return exchange_outcome(result);
	struct slice body = buffer_slice(&d->reply.body);
	if (reply_text(body, "experiment.lifecycle_stage", stage, sizeof stage) &&
	    strcmp(stage, "deleted") == 0) {
		error_set(err, ERR_BAD_REQUEST, "the experiment is deleted on the server");
		return DELIVERY_REFUSED;
	}
	if (reply_text(body, "experiment.experiment_id", id, id_bytes))
		return DELIVERY_PROGRESS;
	error_set(err, ERR_BAD_REQUEST,
		  "the server's answer names no experiment: it is not a trackerd");
	return DELIVERY_REFUSED;
}

static enum exchange_result get_run(struct delivery *d, struct error *err)
{
	char path[128];
	(void)snprintf(path, sizeof path, "/api/2.0/mlflow/runs/get?run_id=%s", d->run_id);
	return exchange_get(d, path, err);
}

/* "mlflow-artifacts:/1/<run id>/artifacts", also with an authority, becomes "1/<run id>/artifacts";
 * other schemes are not served by the server, and leave it empty. */
static void learn_artifact_root(struct delivery *d, const char *path)
{
	static const char scheme[] = "mlflow-artifacts:";
	char uri[DELIVERY_ARTIFACT_ROOT_BYTES];
	if (!reply_text(buffer_slice(&d->reply.body), path, uri, sizeof uri) ||
	    strncmp(uri, scheme, strlen(scheme)) != 0)
		return;
	const char *rest = uri + strlen(scheme);
	if (strncmp(rest, "//", 2) == 0) {
		rest = strchr(rest + 2, '/');
		if (rest == NULL)
			return;
	}
	rest += strspn(rest, "/");
	(void)snprintf(d->artifact_root, sizeof d->artifact_root, "%s", rest);
}
