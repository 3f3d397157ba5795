/* Owns the JSON of events of the registry's history. */
#include "api/registry_event_json.h"

#include "api/entity_json.h"
#include "store/registry_json.h"

static void put_json(struct json_writer *w, const char *key, struct slice json_or_absent)
{
	json_key(w, key);
	if (slice_is_present(json_or_absent))
		json_raw(w, json_or_absent);
	else
		json_null(w);
}

void registry_event_json(struct json_writer *w, const struct registry_event_row *row)
{
	char sha256[SHA256_HEX_LEN + 1];
	bool is_alias = row->part == REGISTRY_PART_ALIAS;
	digest_hex(row->sha256, sha256);
	json_object_begin(w);
	entity_json_put_id(w, "seq", row->event_seq);
	json_put_int(w, "time_ms", row->time_ms);
	json_put_string(w, "kind", row->kind);
	json_put_string(w, "model", row->model);
	registry_json_number(w, "version", is_alias ? row->alias_version : row->version);
	json_put_string(w, "alias", is_alias ? row->key : SLICE(""));
	json_put_string(w, "key", is_alias ? SLICE("") : row->key);
	json_put_string(w, "actor", row->actor);
	json_put_string(w, "client", row->client);
	json_put_string(w, "cause", row->cause);
	json_put_string(w, "reason", row->reason);
	put_json(w, "before", row->before);
	put_json(w, "after", row->after);
	put_json(w, "detail", row->detail);
	json_put_cstr(w, "sha256", sha256);
	json_object_end(w);
}
