/* Owns GET /api/trackerd/v1/server: sizes and counts, read on a worker since they need both databases. */
#include <stdlib.h>

#include "api/artifact_service.h"
#include "api/system.h"
#include "api/take_over.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "store/migrations.h"

enum { INFO_BYTES_MAX = 64 * 1024 };

struct server_info {
	struct take_over flow;
	struct buffer reply;
	bool is_sweeping;
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
	struct server_info *s = CONTAINER_OF(job, struct server_info, flow.job);
	const struct api *api = s->flow.api;
	struct figures f;
	struct json_writer w;
	if (!read_figures(context, &f, err))
		return false;
	json_writer_init(&w, &s->reply);
	json_object_begin(&w);
	json_put_cstr(&w, "version", api->version);
	json_put_cstr(&w, "mlflow_version", api->mlflow_version);
	json_put_int(&w, "schema_version", f.schema_version);
	json_put_int(&w, "started_ms", api->started_ms);
	json_put_int(&w, "now_ms", clock_wall_ms(clock_system()));
	json_put_bool(&w, "read_only", jobs_is_read_only(api->jobs));
	json_put_int(&w, "tracker_bytes", f.tracker_bytes);
	json_put_int(&w, "tracker_free_bytes", f.tracker_free_bytes);
	json_put_int(&w, "artifacts_bytes", f.artifacts_bytes);
	json_put_int(&w, "artifacts_free_bytes", f.artifacts_free_bytes);
	json_put_bool(&w, "sweeping", s->is_sweeping);
	json_put_cstr(&w, "sqlite_version", db_driver_version());
	json_put_int(&w, "experiments", f.experiments);
	json_put_int(&w, "runs", f.runs);
	json_put_int(&w, "registered_models", f.registered_models);
	json_object_end(&w);
	return buffer_check(&s->reply, "The reply", err);
}

static const struct job_phase phases[] = {{LANE_WORKER, run_phase}};

static void closed_on_loop(struct take_over *t)
{
	struct server_info *s = CONTAINER_OF(t, struct server_info, flow);
	buffer_deinit(&s->reply);
	free(s);
}

static void read_on_loop(struct take_over *t)
{
	struct server_info *s = CONTAINER_OF(t, struct server_info, flow);
	struct http_reply reply = {.status = 200, .content_type = "application/json"};
	api_reply_headers(t->api, t->x_or_null, &reply);
	take_over_reply(t, &reply, &s->reply);
}

static void take_over_on_loop(struct api *api, struct http_exchange *x,
			      const struct route_match *match)
{
	struct server_info *s = take_over_alloc(api, x, sizeof(*s));
	(void)match;
	if (s == NULL)
		return;
	buffer_init(&s->reply, INFO_BYTES_MAX);
	s->is_sweeping = artifact_service_is_sweeping_on_loop(api->artifacts);
	take_over_begin(&s->flow, api, x, closed_on_loop);
	take_over_run(&s->flow, phases, ARRAY_COUNT(phases), sizeof(*s), read_on_loop);
}

const struct endpoint system_server = {
	.kind = ENDPOINT_TAKE_OVER,
	.take_over_on_loop = take_over_on_loop,
	.summary = "Versions, sizes and counts of this server",
};
