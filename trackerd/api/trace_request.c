/* Owns what the endpoints of traces share: checks, and the way from a request to the trace in the reply. */
#include "api/trace_request.h"

#include "api/validation.h"
#include "limits.h"
#include "store/experiments.h"
#include "store/search_page.h"
#include "store/traces.h"
#include "store/traces_load.h"

enum { TRACE_ID_LENGTH_MAX = 250, PAGE_DEFAULT = 100 };

const struct field_enum trace_states[] = {
	{"STATE_UNSPECIFIED", 0}, {"OK", 1}, {"ERROR", 2}, {"IN_PROGRESS", 3},
	{"TRACE_STATUS_UNSPECIFIED", 0}, {NULL, 0},
};

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

bool trace_check_id(struct slice trace_id, struct error *err)
{
	char quoted[128];
	bool is_valid = trace_id.len > 0 && trace_id.len <= TRACE_ID_LENGTH_MAX &&
			is_word(trace_id.ptr[0]) && trace_id.ptr[0] != '_';
	for (size_t i = 0; is_valid && i < trace_id.len; i++) {
		char c = trace_id.ptr[i];
		is_valid = is_word(c) || c == '-' || c == '.';
	}
	return is_valid || error_set(err, ERR_INVALID_PARAMETER_VALUE,
				     "Invalid trace ID: '%s'. Letters, digits, '_', '-' and '.' "
				     "are taken, at most %d.",
				     error_quote(trace_id, quoted, sizeof(quoted)),
				     TRACE_ID_LENGTH_MAX);
}

struct slice trace_state_name(struct opt_i64 state)
{
	for (const struct field_enum *e = trace_states; state.is_set && e->name != NULL; e++) {
		if (e->number == state.value)
			return slice_from_cstr(e->name);
	}
	return slice_from_cstr(trace_states[0].name);
}

struct key_value_list trace_key_values(const struct object_list *list)
{
	struct key_value *items = list->items;
	for (size_t i = 0; i < list->count; i++) {
		struct key_value *item = &items[i];
		item->key = slice_utf8_first(item->key, KEY_LENGTH_MAX);
		item->value = slice_is_present(item->value)
				      ? slice_utf8_first(item->value, TRACE_VALUE_LENGTH_MAX)
				      : SLICE("");
	}
	return (struct key_value_list){items, list->count};
}

bool trace_load_result(struct call *call, struct db *tracker, struct trace_pk pk, struct error *err)
{
	struct trace *trace = ARENA_NEW(call->arena, struct trace, 1);
	call->result = trace;
	return traces_load(tracker, &pk, 1, call->arena, trace, err);
}

bool trace_get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct trace_pk pk;
	return trace_find(tracker, call->path_arguments[0], &pk, err) &&
	       trace_load_result(call, tracker, pk, err);
}

bool trace_find_changed(struct call *call, struct db *tracker, struct slice trace_id,
			struct trace_pk *out, struct error *err)
{
	return trace_find(tracker, trace_id, out, err) && trace_tell(call, tracker, *out, err);
}

bool trace_tell(struct call *call, struct db *tracker, struct trace_pk pk, struct error *err)
{
	int64_t experiment_id;
	if (!trace_experiment(tracker, pk, &experiment_id, err))
		return false;
	call_tell_experiment(call, experiment_id, LIVE_TRACES);
	return true;
}

bool trace_tell_if_any(struct call *call, struct db *tracker, struct slice trace_id,
		       struct error *err)
{
	struct trace_pk pk;
	bool found;
	return trace_find_if_any(tracker, trace_id, &pk, &found, err) &&
	       (!found || trace_tell(call, tracker, pk, err));
}

bool trace_put_result(struct call *call, struct db *tracker, const struct trace *trace,
		      struct error *err)
{
	struct slice location;
	bool is_new;
	struct trace *put = ARENA_NEW(call->arena, struct trace, 1);
	*put = *trace; /* the request's own stays as it is for another run */
	call->result = put;
	call_tell_experiment(call, trace->experiment_id, LIVE_TRACES);
	return experiment_check_active(tracker, trace->experiment_id, call->arena, &location,
				       err) &&
	       trace_put_in_txn(tracker, put, location, call->arena, &is_new, err) &&
	       (is_new || trace_load_result(call, tracker, put->pk, err));
}

/* ---- several by id ------------------------------------------------------------------------------ */

// clang-format off
const struct field trace_infos_fields[] = {
	FIELD_TEXTS(struct trace_infos_request, trace_ids, FIELD_REQUIRED),
	FIELD_TEXTS(struct trace_infos_request, experiment_ids, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

bool trace_infos_check(struct call *call, struct error *err)
{
	const struct trace_infos_request *request = call->request;
	return request->trace_ids.count <= SEARCH_TRACES_MAX ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Cannot get more than %d traces in a single request. Provided %zu.",
			 SEARCH_TRACES_MAX, request->trace_ids.count);
}

static bool is_wanted(const struct trace_infos_request *request, int64_t experiment_id)
{
	int64_t id;
	for (size_t i = 0; i < request->experiment_ids.count; i++) {
		if (slice_parse_i64(request->experiment_ids.items[i], &id) && id == experiment_id)
			return true;
	}
	return !request->experiment_ids.is_set;
}

static bool contains_pk(const struct trace_pk *pks, size_t count, struct trace_pk pk)
{
	for (size_t i = 0; i < count; i++) {
		if (pks[i].value == pk.value)
			return true;
	}
	return false;
}

bool trace_infos_load(struct call *call, struct db *tracker, struct trace_list *out,
		      struct error *err)
{
	const struct trace_infos_request *request = call->request;
	struct trace_pk *pks =
		ARENA_NEW(call->arena, struct trace_pk, request->trace_ids.count);
	size_t count = 0;
	for (size_t i = 0; i < request->trace_ids.count; i++) {
		bool found;
		if (!trace_find_if_any(tracker, request->trace_ids.items[i], &pks[count], &found,
				       err))
			return false;
		count += found && !contains_pk(pks, count, pks[count]);
	}
	struct trace_list list = {ARENA_NEW(call->arena, struct trace, count), 0};
	if (!traces_load(tracker, pks, count, call->arena, list.items, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		if (is_wanted(request, list.items[i].experiment_id))
			list.items[list.count++] = list.items[i];
	}
	*out = list;
	return true;
}

/* ---- searching ---------------------------------------------------------------------------------- */

bool trace_search_check(struct call *call, const struct slice *experiment_ids, size_t count,
			struct error *err)
{
	struct trace_search_request *request = call->request;
	int64_t *ids = ARENA_NEW(call->arena, int64_t, count);
	for (size_t i = 0; i < count; i++) {
		if (!validate_experiment_id(experiment_ids[i], &ids[i], err))
			return false;
	}
	request->search = (struct trace_search){
		.experiment_ids = ids,
		.experiment_count = count,
		.filter = request->filter,
		.order_by = request->order_by.items,
		.order_by_count = request->order_by.count,
		.page_token = request->page_token,
	};
	return search_page_rows_max(request->max_results.is_set, request->max_results.value,
				    PAGE_DEFAULT, SEARCH_TRACES_MAX, &request->search.rows_max,
				    err);
}

bool trace_search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct trace_search_request *request = call->request;
	struct trace_page *page = ARENA_NEW(call->arena, struct trace_page, 1);
	call->result = page;
	return trace_search(tracker, &request->search, call->arena, &page->traces,
			    &page->next_page_token, err);
}

void trace_page_encode(const struct call *call, struct json_writer *w,
		       void (*write_trace)(struct json_writer *w, const struct trace *trace))
{
	const struct trace_page *page = call->result;
	json_object_begin(w);
	if (page->traces.count > 0) {
		json_key(w, "traces");
		json_array_begin(w);
		for (size_t i = 0; i < page->traces.count; i++)
			write_trace(w, &page->traces.items[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->next_page_token);
	json_object_end(w);
}
