/* Owns the endpoint that lists the datasets of experiments. */
#include "api/dataset_search.h"

#include "api/entity_json.h"
#include "api/validation.h"
#include "limits.h"
#include "store/dataset_summaries.h"

struct datasets_request {
	struct text_list experiment_ids;
	int64_t numbers[SEARCH_DATASETS_EXPERIMENTS_MAX]; /* made by check */
};

static const struct field datasets_fields[] = {
	FIELD_TEXTS(struct datasets_request, experiment_ids, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool datasets_check(struct call *call, struct error *err)
{
	struct datasets_request *request = call->request;
	size_t count = request->experiment_ids.count;
	if (count == 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "SearchDatasets request must specify at least one experiment_id.");
	if (count > SEARCH_DATASETS_EXPERIMENTS_MAX)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "SearchDatasets request cannot specify more than %d "
				 "experiment_ids. Received %zu experiment_ids.",
				 SEARCH_DATASETS_EXPERIMENTS_MAX, count);
	for (size_t i = 0; i < count; i++) {
		if (!validate_experiment_id(request->experiment_ids.items[i], &request->numbers[i],
					    err))
			return false;
	}
	return true;
}

static bool datasets_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct datasets_request *request = call->request;
	struct dataset_summary_list *list = ARENA_NEW(call->arena, struct dataset_summary_list, 1);
	call->result = list;
	return dataset_summaries_load(tracker, request->numbers, request->experiment_ids.count,
				      SEARCH_DATASETS_MAX, call->arena, list, err);
}

static void datasets_encode(const struct call *call, struct json_writer *w)
{
	const struct dataset_summary_list *list = call->result;
	json_object_begin(w);
	if (list->count > 0) {
		json_key(w, "dataset_summaries");
		json_array_begin(w);
		for (size_t i = 0; i < list->count; i++) {
			json_object_begin(w);
			entity_json_put_id(w, "experiment_id", list->items[i].experiment_id);
			json_put_string(w, "name", list->items[i].name);
			json_put_string(w, "digest", list->items[i].digest);
			json_put_string(w, "context", list->items[i].context);
			json_object_end(w);
		}
		json_array_end(w);
	}
	json_object_end(w);
}

const struct endpoint datasets_search = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = datasets_fields,
	.request_bytes = sizeof(struct datasets_request),
	.check = datasets_check,
	.execute = datasets_execute,
	.encode = datasets_encode,
	.summary = "List the datasets that runs of experiments used",
};
