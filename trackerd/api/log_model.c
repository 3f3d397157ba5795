/* Owns the endpoint that records the models of 2.x clients in a tag of their run. */
#include "api/log_model.h"

#include "api/validation.h"
#include "json/json_reader.h"
#include "limits.h"
#include "store/json_list.h"
#include "store/runs.h"
#include "store/tags.h"

/* Of one member: a byte of the body may become six. */
enum { PRINT_BYTES_MAX = 6 * BODY_BYTES_MAX };

#define HISTORY_TAG SLICE("mlflow.log-model.history")

struct log_model_request {
	struct slice run_id, model_json;
	struct slice item; /* made by check: what the history gets */
};

static const struct field log_model_fields[] = {
	FIELD_TEXT(struct log_model_request, run_id, FIELD_REQUIRED | FIELD_IS_RUN_ID),
	FIELD_TEXT(struct log_model_request, model_json, FIELD_REQUIRED),
	FIELDS_END,
};

/* Members of a model that must be there, and what of them the history keeps. */
static const struct {
	const char *name;
	bool is_required, is_kept; /* flavors are kept in a way of their own */
} members[] = {
	{"artifact_path", true, true},	  {"flavors", true, false},    {"run_id", true, true},
	{"utc_time_created", true, true}, {"model_uuid", false, true},
};

static bool check_members(struct json_node model, struct arena *arena, struct error *err)
{
	struct slice missing = {0};
	for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
		struct json_node member = json_node_member(model, slice_from_cstr(members[i].name));
		if (members[i].is_required && json_node_type(member) == JSON_TYPE_ABSENT)
			missing = arena_printf(arena, "%.*s%s'%s'", SLICE_FMT(missing),
					       missing.len > 0 ? ", " : "", members[i].name);
	}
	return missing.len == 0 ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Model json is missing mandatory fields: {%.*s}", SLICE_FMT(missing));
}

static void put_node(struct json_writer *w, struct slice name, struct json_node node,
		     struct arena *arena)
{
	json_key_slice(w, name);
	if (json_node_type(node) == JSON_TYPE_ABSENT)
		json_null(w);
	else
		json_raw(w, json_node_print(node, arena, PRINT_BYTES_MAX));
}

/* Everything but the configuration, which may hold secrets and be large. */
static void put_flavor(struct json_writer *w, struct json_node flavor, struct arena *arena)
{
	if (json_node_type(flavor) != JSON_TYPE_OBJECT) {
		put_node(w, json_node_key(flavor), flavor, arena);
		return;
	}
	json_key_slice(w, json_node_key(flavor));
	json_object_begin(w);
	struct json_node member = json_node_first(flavor);
	for (; json_node_type(member) != JSON_TYPE_ABSENT; member = json_node_next(member)) {
		if (!slice_eq_cstr(json_node_key(member), "config"))
			put_node(w, json_node_key(member), member, arena);
	}
	json_object_end(w);
}

static struct slice history_item(struct json_node model, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, arena, PRINT_BYTES_MAX);
	json_writer_init(&w, &text);
	json_object_begin(&w);
	for (size_t i = 0; i < ARRAY_COUNT(members); i++) {
		struct slice name = slice_from_cstr(members[i].name);
		if (members[i].is_kept)
			put_node(&w, name, json_node_member(model, name), arena);
	}
	json_key(&w, "flavors");
	json_object_begin(&w);
	struct json_node flavor = json_node_first(json_node_member(model, SLICE("flavors")));
	for (; json_node_type(flavor) != JSON_TYPE_ABSENT; flavor = json_node_next(flavor))
		put_flavor(&w, flavor, arena);
	json_object_end(&w);
	json_object_end(&w);
	return buffer_slice(&text);
}

static bool fail_length(struct error *err)
{
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "The models of one run take more than %d bytes in its tag "
			 "mlflow.log-model.history.",
			 LOG_MODEL_HISTORY_BYTES_MAX);
}

static bool log_model_check(struct call *call, struct error *err)
{
	struct log_model_request *request = call->request;
	struct json_node model;
	struct error reason;
	char quoted[512];
	bool is_object = json_read(request->model_json, call->arena, &model, &reason) &&
			 json_node_type(model) == JSON_TYPE_OBJECT;
	if (!is_object)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Malformed model info. \n %s \n is not a valid JSON.",
				 error_quote(request->model_json, quoted, sizeof(quoted)));
	if (!check_members(model, call->arena, err))
		return false;
	request->item = history_item(model, call->arena);
	return true;
}

static bool log_model_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct log_model_request *request = call->request;
	struct run_ref ref;
	struct slice history;
	if (!call_change_run(call, tracker, request->run_id, LIVE_TAGS, &ref, err) ||
	    !run_tag_find(tracker, ref.pk, HISTORY_TAG, call->arena, &history, err))
		return false;
	struct key_value tag = {HISTORY_TAG, json_list_append(history, request->item, call->arena)};
	if (tag.value.len > LOG_MODEL_HISTORY_BYTES_MAX)
		return fail_length(err);
	return run_tags_set_in_txn(tracker, ref.pk, (struct key_value_list){&tag, 1}, call->arena,
				   err);
}

const struct endpoint runs_log_model = {
	.kind = ENDPOINT_WRITE,
	.fields_or_null = log_model_fields,
	.request_bytes = sizeof(struct log_model_request),
	.check = log_model_check,
	.execute = log_model_execute,
	.summary = "Record a model of a 2.x client in a tag of its run",
};
