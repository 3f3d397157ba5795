/* Owns the endpoints that tell what happened to a model, and how it was. */
#include "api/model_history.h"

#include <inttypes.h>

#include "api/entity_json.h"
#include "api/model_validation.h"
#include "api/registry_event_json.h"
#include "base/clock.h"
#include "limits.h"
#include "store/registry_json.h"
#include "store/registry_log.h"
#include "store/registry_state.h"
#include "store/search_page.h"
#include "store/snapshot.h"

/* A read of several statements, all of one commit. */
static bool with_snapshot(struct call *call, struct db *tracker,
			  bool (*read)(struct call *, struct db *, struct error *),
			  struct error *err)
{
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && read(call, tracker, err);
	snapshot_release(snapshot);
	return ok;
}

/* ---- events ------------------------------------------------------------------------------------- */

enum { HISTORY_PAGE_DEFAULT = 100 };

struct history_request {
	struct opt_i64 since_ms, until_ms, max_results, order;
	struct slice page_token;
	struct opt_bool all;
	/* Set by check: */
	size_t rows_max;
	int64_t token_seq; /* 0: the first page */
};

enum history_order { ORDER_DESC, ORDER_ASC };

static const struct field_enum orders[] = {
	{"desc", ORDER_DESC},
	{"asc", ORDER_ASC},
	{NULL, 0},
};

static const struct field history_fields[] = {
	FIELD_I64(struct history_request, since_ms, FIELD_OPTIONAL),
	FIELD_I64(struct history_request, until_ms, FIELD_OPTIONAL),
	FIELD_ENUM(struct history_request, order, FIELD_OPTIONAL, orders),
	FIELD_I64(struct history_request, max_results, FIELD_OPTIONAL),
	FIELD_TEXT(struct history_request, page_token, FIELD_OPTIONAL),
	FIELD_BOOL(struct history_request, all, FIELD_OPTIONAL),
	FIELDS_END,
};

struct history_page {
	struct registry_event_list events;
	int64_t next_seq; /* 0: that was the last page */
};

static bool history_check(struct call *call, struct error *err)
{
	struct history_request *r = call->request;
	char quoted[64];
	if (r->page_token.len > 0 &&
	    (!slice_parse_i64(r->page_token, &r->token_seq) || r->token_seq < 1))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid page token '%s'.",
				 error_quote(r->page_token, quoted, sizeof(quoted)));
	return model_check_name(call->path_arguments[0], err) &&
	       search_page_rows_max(r->max_results.is_set, r->max_results.value,
				    HISTORY_PAGE_DEFAULT, REGISTRY_HISTORY_PAGE_MAX, &r->rows_max,
				    err);
}

/* The times of the request as numbers of events. */
static bool find_bounds(const struct history_request *r, struct db *tracker,
			struct registry_log_query *query, struct error *err)
{
	int64_t before = 0;
	query->first_seq = 1;
	query->last_seq = INT64_MAX;
	if (r->since_ms.is_set && r->since_ms.value > 0) {
		if (!registry_seq_at(tracker, r->since_ms.value - 1, &before, err))
			return false;
		query->first_seq = before + 1;
	}
	if (r->until_ms.is_set &&
	    !registry_seq_at(tracker, r->until_ms.value, &query->last_seq, err))
		return false;
	if (r->token_seq != 0 && query->is_descending)
		query->last_seq =
			r->token_seq - 1 < query->last_seq ? r->token_seq - 1 : query->last_seq;
	if (r->token_seq != 0 && !query->is_descending)
		query->first_seq =
			r->token_seq >= query->first_seq ? r->token_seq + 1 : query->first_seq;
	return true;
}

static bool read_history(struct call *call, struct db *tracker, struct error *err)
{
	const struct history_request *r = call->request;
	struct history_page *page = ARENA_NEW(call->arena, struct history_page, 1);
	struct slice name = call->path_arguments[0];
	struct registry_log_query query = {
		.is_descending = !r->order.is_set || r->order.value == ORDER_DESC,
		.rows_max = r->rows_max + 1,
	};
	if (!registry_find_model(tracker, name, &query.model_seq, err))
		return false;
	if (r->all.value) {
		query.model_seq = 0;
		query.name_or_absent = name;
	}
	if (!find_bounds(r, tracker, &query, err) ||
	    !registry_log_load(tracker, &query, call->arena, &page->events, err))
		return false;
	if (page->events.count > r->rows_max) {
		page->events.count = r->rows_max;
		page->next_seq = page->events.items[r->rows_max - 1].event_seq;
	}
	call->result = page;
	return true;
}

static bool history_execute(struct call *call, struct db *tracker, struct error *err)
{
	return with_snapshot(call, tracker, read_history, err);
}

static void history_encode(const struct call *call, struct json_writer *w)
{
	const struct history_page *page = call->result;
	json_object_begin(w);
	json_key(w, "events");
	json_array_begin(w);
	for (size_t i = 0; i < page->events.count; i++)
		registry_event_json(w, &page->events.items[i]);
	json_array_end(w);
	registry_json_number(w, "next_page_token", page->next_seq);
	json_object_end(w);
}

const struct endpoint model_history_list = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = history_fields,
	.request_bytes = sizeof(struct history_request),
	.check = history_check,
	.execute = history_execute,
	.encode = history_encode,
	.summary = "List what happened to a registered model",
};

/* ---- a model as it was -------------------------------------------------------------------------- */

struct at_request {
	struct opt_i64 time_ms, seq;
};

static const struct field at_fields[] = {
	FIELD_I64(struct at_request, time_ms, FIELD_OPTIONAL),
	FIELD_I64(struct at_request, seq, FIELD_OPTIONAL),
	FIELDS_END,
};

struct at_result {
	int64_t seq, time_ms;
	struct registry_state state;
};

static bool at_check(struct call *call, struct error *err)
{
	const struct at_request *r = call->request;
	if (r->time_ms.is_set == r->seq.is_set)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Give one of 'time_ms', a time in milliseconds since 1970, and "
				 "'seq', the number of an event.");
	return model_check_name(call->path_arguments[0], err);
}

static bool find_moment(const struct at_request *r, struct db *tracker, struct at_result *out,
			struct error *err)
{
	out->seq = r->seq.value;
	out->time_ms = r->time_ms.value;
	return r->seq.is_set ? registry_time_of(tracker, out->seq, &out->time_ms, err)
			     : registry_seq_at(tracker, out->time_ms, &out->seq, err);
}

/* Of the model that was called `name` then; else of the one that is called so now, or was last. */
static bool find_state(struct call *call, struct db *tracker, struct slice name,
		       struct at_result *result, bool *found, struct error *err)
{
	const int64_t moments[] = {result->seq, INT64_MAX};
	*found = false;
	for (size_t i = 0; i < ARRAY_COUNT(moments) && !*found; i++) {
		int64_t model_seq = 0;
		if (!registry_find_named(tracker, name, moments[i], &model_seq, err))
			return false;
		if (model_seq == 0)
			continue;
		if (!registry_state_load(tracker, model_seq, result->seq, call->arena,
					 &result->state, found, err))
			return false;
		*found = *found && (i > 0 || slice_eq(result->state.model.name, name));
	}
	return true;
}

static bool read_at(struct call *call, struct db *tracker, struct error *err)
{
	struct slice name = call->path_arguments[0];
	struct at_result *result = ARENA_NEW(call->arena, struct at_result, 1);
	char quoted[300], time[25];
	bool found = false;
	if (!find_moment(call->request, tracker, result, err) ||
	    !find_state(call, tracker, name, result, &found, err))
		return false;
	clock_format_ms(result->time_ms, time);
	call->result = result;
	return found || error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				  "No registered model '%s' was there at %s, after event %" PRId64
				  " of the registry.",
				  error_quote(name, quoted, sizeof(quoted)), time, result->seq);
}

static bool at_execute(struct call *call, struct db *tracker, struct error *err)
{
	return with_snapshot(call, tracker, read_at, err);
}

static void put_version(struct json_writer *w, const struct model_version *v)
{
	json_object_begin(w);
	registry_json_number(w, "version", v->version);
	json_put_string(w, "stage", v->stage);
	json_put_string(w, "description", v->description);
	json_put_string(w, "run_id", v->run_id);
	json_put_string(w, "source", v->source);
	json_put_string(w, "user_id", v->user_id);
	json_put_int(w, "creation_time_ms", v->creation_time_ms);
	registry_json_tags(w, v->tags);
	json_key(w, "aliases");
	json_array_begin(w);
	for (size_t i = 0; i < v->aliases.count; i++)
		json_string(w, v->aliases.items[i].alias);
	json_array_end(w);
	json_object_end(w);
}

static void put_alias(struct json_writer *w, const struct registry_alias *alias)
{
	json_object_begin(w);
	json_put_string(w, "alias", alias->alias);
	registry_json_number(w, "version", alias->version);
	registry_json_number(w, "revision", alias->revision);
	json_put_int(w, "since_ms", alias->since_ms);
	json_put_string(w, "actor", alias->actor);
	json_put_string(w, "kind", alias->kind);
	json_put_string(w, "reason", alias->reason);
	json_object_end(w);
}

static void put_model(struct json_writer *w, const struct registered_model *model)
{
	json_object_begin(w);
	json_put_string(w, "name", model->name);
	json_put_string(w, "description", model->description);
	json_put_int(w, "creation_time_ms", model->creation_time_ms);
	registry_json_tags(w, model->tags);
	json_object_end(w);
}

static void at_encode(const struct call *call, struct json_writer *w)
{
	const struct at_result *result = call->result;
	const struct registry_state *state = &result->state;
	json_object_begin(w);
	entity_json_put_id(w, "seq", result->seq);
	json_put_int(w, "time_ms", result->time_ms);
	json_key(w, "model");
	put_model(w, &state->model);
	json_key(w, "versions");
	json_array_begin(w);
	for (size_t i = 0; i < state->versions.count; i++)
		put_version(w, &state->versions.items[i]);
	json_array_end(w);
	json_key(w, "aliases");
	json_array_begin(w);
	for (size_t i = 0; i < state->aliases.count; i++)
		put_alias(w, &state->aliases.items[i]);
	json_array_end(w);
	json_key(w, "rules");
	json_raw(w, slice_is_present(state->rules)
			    ? state->rules
			    : SLICE("{\"requirements\":[],\"protected_aliases\":[]}"));
	json_object_end(w);
}

const struct endpoint model_history_at = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = at_fields,
	.request_bytes = sizeof(struct at_request),
	.check = at_check,
	.execute = at_execute,
	.encode = at_encode,
	.summary = "Get a registered model as it was at a time",
};
