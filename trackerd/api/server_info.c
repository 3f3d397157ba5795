/* Owns GET /api/trackerd/v1/server: sizes and counts, read on a worker since they need both databases. */
#include <stdlib.h>

#include "api/api.h"
#include "api/system.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "store/migrations.h"

enum { ARENA_BYTES_MAX = 1024 * 1024, REPLY_BYTES = 64 * 1024 };

struct server_info_job {
	struct job job;
	struct job_phase phase;
	struct arena arena;
	struct api *api;
	struct http_exchange *exchange;
	struct buffer reply;
};

struct figures {
	int64_t tracker_bytes, tracker_free_bytes, artifacts_bytes, artifacts_free_bytes;
	int64_t experiments, runs, registered_models;
	int schema_version;
};

static bool read_count(struct db *db, struct sql sql, int64_t *out, struct error *err)
{
	bool found;
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

static bool read_figures(const struct job_context *context, struct figures *f, struct error *err)
{
	struct db *db = context->tracker;
	return db_size(db, &f->tracker_bytes, &f->tracker_free_bytes, err) &&
	       db_size(context->blobs, &f->artifacts_bytes, &f->artifacts_free_bytes, err) &&
	       migrations_version(db, &f->schema_version, err) &&
	       read_count(db, SQL("SELECT count(*) FROM experiments"), &f->experiments, err) &&
	       read_count(db, SQL("SELECT count(*) FROM runs"), &f->runs, err) &&
	       read_count(db, SQL("SELECT count(*) FROM registered_models"), &f->registered_models,
			  err);
}

static bool run_phase(struct job *job, struct job_context *context, struct error *err)
{
	struct server_info_job *s = CONTAINER_OF(job, struct server_info_job, job);
	struct figures f;
	struct json_writer w;
	if (!read_figures(context, &f, err))
		return false;
	json_writer_init(&w, &s->reply);
	json_object_begin(&w);
	json_put_cstr(&w, "version", s->api->version);
	json_put_cstr(&w, "mlflow_version", s->api->mlflow_version);
	json_put_int(&w, "schema_version", f.schema_version);
	json_put_int(&w, "started_ms", s->api->started_ms);
	json_put_int(&w, "now_ms", clock_wall_ms(clock_system()));
	json_put_bool(&w, "read_only", jobs_is_read_only(s->api->jobs));
	json_put_int(&w, "tracker_bytes", f.tracker_bytes);
	json_put_int(&w, "tracker_free_bytes", f.tracker_free_bytes);
	json_put_int(&w, "artifacts_bytes", f.artifacts_bytes);
	json_put_int(&w, "artifacts_free_bytes", f.artifacts_free_bytes);
	json_put_cstr(&w, "sqlite_version", db_driver_version());
	json_put_int(&w, "experiments", f.experiments);
	json_put_int(&w, "runs", f.runs);
	json_put_int(&w, "registered_models", f.registered_models);
	json_object_end(&w);
	return buffer_check(&s->reply, "The reply", err);
}

static void server_info_free(struct server_info_job *s)
{
	buffer_deinit(&s->reply);
	arena_deinit(&s->arena);
	free(s);
}

static void deliver_on_loop(struct job *job)
{
	struct server_info_job *s = CONTAINER_OF(job, struct server_info_job, job);
	if (job->error.code != ERR_NONE) {
		api_reply_error(s->api, s->exchange, &job->error);
	} else {
		struct http_reply reply = {.status = 200, .content_type = "application/json"};
		api_reply_headers(s->api, s->exchange, &reply);
		http_exchange_reply(s->exchange, &reply, &s->reply);
		http_exchange_release(s->exchange);
	}
	server_info_free(s);
}

static void take_over_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match)
{
	struct error err;
	struct server_info_job *s = calloc(1, sizeof(*s));
	(void)match;
	if (s == NULL) {
		(void)error_set(&err, ERR_TEMPORARILY_UNAVAILABLE,
				"The server is out of memory; try again.");
		api_reply_error(api, x, &err);
		return;
	}
	arena_init(&s->arena, ARENA_BYTES_MAX);
	buffer_init(&s->reply, REPLY_BYTES);
	s->api = api;
	s->exchange = x;
	s->phase = (struct job_phase){LANE_WORKER, run_phase};
	s->job = (struct job){.phases = &s->phase,
			      .phase_count = 1,
			      .arena = &s->arena,
			      .weight_bytes = sizeof(*s),
			      .deliver_on_loop = deliver_on_loop};
	if (!jobs_submit(api->jobs, &s->job, &err)) {
		api_reply_error(api, x, &err);
		server_info_free(s);
	}
}

const struct endpoint system_server = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = take_over_on_loop,
	.summary = "Versions, sizes and counts of this server",
};
