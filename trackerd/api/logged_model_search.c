/* Owns the endpoint that searches logged models. */
#include "api/logged_model_search.h"

#include "api/logged_model_json.h"
#include "api/validation.h"
#include "limits.h"
#include "store/logged_model_search.h"
#include "store/search_page.h"

struct dataset_entry {
	struct slice dataset_name, dataset_digest;
};

struct order_entry {
	struct slice field_name;
	struct opt_bool ascending; /* yes, when it is not given */
	struct slice dataset_name, dataset_digest;
};

struct search_request {
	struct text_list experiment_ids;
	struct slice filter;
	struct object_list datasets;
	struct opt_i64 max_results;
	struct object_list order_by;
	struct slice page_token;
	struct logged_model_search search; /* made by check */
};

// clang-format off
static const struct field dataset_entry_fields[] = {
	FIELD_TEXT(struct dataset_entry, dataset_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct dataset_entry, dataset_digest, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field order_entry_fields[] = {
	FIELD_TEXT(struct order_entry, field_name, FIELD_REQUIRED),
	FIELD_BOOL(struct order_entry, ascending, FIELD_OPTIONAL),
	FIELD_TEXT(struct order_entry, dataset_name, FIELD_OPTIONAL),
	FIELD_TEXT(struct order_entry, dataset_digest, FIELD_OPTIONAL),
	FIELDS_END,
};

static const struct field search_fields[] = {
	FIELD_TEXTS(struct search_request, experiment_ids, FIELD_OPTIONAL),
	FIELD_TEXT(struct search_request, filter, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct search_request, datasets, FIELD_OPTIONAL, dataset_entry_fields, struct dataset_entry),
	FIELD_I64(struct search_request, max_results, FIELD_OPTIONAL),
	FIELD_OBJECTS(struct search_request, order_by, FIELD_OPTIONAL, order_entry_fields, struct order_entry),
	FIELD_TEXT(struct search_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

static bool check_experiments(struct search_request *request, struct arena *arena,
			      struct error *err)
{
	int64_t *ids = ARENA_NEW(arena, int64_t, request->experiment_ids.count);
	/* A list without items is one, in which nothing is found. */
	if (!request->experiment_ids.is_set)
		return fields_error_missing(err, "experiment_ids");
	for (size_t i = 0; i < request->experiment_ids.count; i++) {
		if (!validate_experiment_id(request->experiment_ids.items[i], &ids[i], err))
			return false;
	}
	request->search.experiment_ids = ids;
	request->search.experiment_count = request->experiment_ids.count;
	return true;
}

static bool check_datasets(struct search_request *request, struct arena *arena, struct error *err)
{
	const struct dataset_entry *entries = request->datasets.items;
	struct logged_model_dataset *datasets =
		ARENA_NEW(arena, struct logged_model_dataset, request->datasets.count);
	for (size_t i = 0; i < request->datasets.count; i++) {
		if (entries[i].dataset_name.len == 0)
			return error_set(err, ERR_INVALID_PARAMETER_VALUE,
					 "`dataset_name` in the `datasets` clause must be "
					 "specified.");
		datasets[i] = (struct logged_model_dataset){entries[i].dataset_name,
							    entries[i].dataset_digest};
	}
	request->search.datasets = datasets;
	request->search.dataset_count = request->datasets.count;
	return true;
}

static void take_order(struct search_request *request, struct arena *arena)
{
	const struct order_entry *entries = request->order_by.items;
	struct logged_model_order *order =
		ARENA_NEW(arena, struct logged_model_order, request->order_by.count);
	for (size_t i = 0; i < request->order_by.count; i++) {
		order[i] = (struct logged_model_order){
			.field = entries[i].field_name,
			.is_descending = entries[i].ascending.is_set && !entries[i].ascending.value,
			.dataset = {entries[i].dataset_name, entries[i].dataset_digest},
		};
	}
	request->search.order_by = order;
	request->search.order_by_count = request->order_by.count;
}

static bool search_check(struct call *call, struct error *err)
{
	struct search_request *request = call->request;
	/* 0 means "as many as you like", and more than a page holds is a page. */
	bool is_set = request->max_results.is_set && request->max_results.value != 0;
	int64_t wanted = request->max_results.value;
	if (wanted > SEARCH_LOGGED_MODELS_MAX)
		wanted = SEARCH_LOGGED_MODELS_MAX;
	request->search.filter = request->filter;
	request->search.page_token = request->page_token;
	take_order(request, call->arena);
	return check_experiments(request, call->arena, err) &&
	       check_datasets(request, call->arena, err) &&
	       search_page_rows_max(is_set, wanted, SEARCH_LOGGED_MODELS_DEFAULT,
				    SEARCH_LOGGED_MODELS_MAX, &request->search.rows_max, err);
}

static bool search_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct search_request *request = call->request;
	struct logged_model_page *page = ARENA_NEW(call->arena, struct logged_model_page, 1);
	call->result = page;
	return logged_model_search(tracker, &request->search, call->arena, page, err);
}

static void search_encode(const struct call *call, struct json_writer *w)
{
	const struct logged_model_page *page = call->result;
	json_object_begin(w);
	if (page->count > 0) {
		json_key(w, "models");
		json_array_begin(w);
		for (size_t i = 0; i < page->count; i++)
			logged_model_json(w, &page->models[i]);
		json_array_end(w);
	}
	json_put_string(w, "next_page_token", page->next_page_token);
	json_object_end(w);
}

const struct endpoint logged_models_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = search_fields,
	.request_bytes = sizeof(struct search_request),
	.check = search_check,
	.execute = search_execute,
	.encode = search_encode,
	.summary = "Search logged models",
};
