/* Owns the JSON shapes of deployments. */
#include "api/deployment_json.h"

#include "api/entity_json.h"

static void put_version(struct json_writer *w, const char *key, int64_t version)
{
	if (version == 0)
		json_put_string(w, key, SLICE(""));
	else
		entity_json_put_id(w, key, version);
}

/* What a deployment and a row of its history have in common. */
static void put_members(struct json_writer *w, const struct deployment *d)
{
	json_put_string(w, "deployment_id", d->deployment_id);
	entity_json_put_id(w, "seq", d->change_seq);
	json_put_cstr(w, "state", deployment_state_name(d->state));
	json_put_string(w, "model", d->model);
	put_version(w, "version", d->version);
	put_version(w, "previous_version", d->previous_version);
	json_put_string(w, "alias", d->alias);
	json_put_string(w, "environment", d->environment);
	json_put_string(w, "target", d->target);
	json_put_string(w, "host", d->host);
	json_put_string(w, "path", d->path);
	json_put_string(w, "reason", d->reason);
	json_put_string(w, "actor", d->actor);
	json_put_int(w, "since_ms", d->since_ms);
	json_put_int(w, "last_seen_ms", d->last_seen_ms);
	json_put_int(w, "heartbeat_ms", d->heartbeat_ms);
}

void deployment_json(struct json_writer *w, const struct deployment *d)
{
	json_object_begin(w);
	put_members(w, d);
	put_version(w, "alias_version", d->alias_version);
	json_put_bool(w, "differs", deployment_differs(d));
	json_put_bool(w, "in_registry", d->is_in_registry);
	json_object_end(w);
}

void deployment_json_change(struct json_writer *w, const struct deployment_change *change)
{
	json_object_begin(w);
	json_put_int(w, "time_ms", change->time_ms);
	put_members(w, &change->deployment);
	json_object_end(w);
}
