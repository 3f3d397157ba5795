/* Owns the comparison of two versions of a model: parameters, metrics, datasets, tags, files. Only what differs. */
#include "api/version_diff.h"

#include <math.h>
#include <stdlib.h>

#include "api/entity_json.h"
#include "api/model_validation.h"
#include "api/version_facts.h"
#include "api/version_json.h"
#include "store/key_values.h"
#include "store/snapshot.h"

struct diff_request {
	struct slice from, to; /* "3" or "@champion" */
};

static const struct field diff_fields[] = {
	FIELD_TEXT(struct diff_request, from, FIELD_REQUIRED),
	FIELD_TEXT(struct diff_request, to, FIELD_REQUIRED),
	FIELDS_END,
};

struct diff {
	struct version_facts from, to;
};

/* ---- reading ------------------------------------------------------------------------------------ */

static bool diff_check(struct call *call, struct error *err)
{
	return model_check_name(call->path_arguments[0], err);
}

static bool load_both(struct call *call, struct db *tracker, struct diff *diff, struct error *err)
{
	const struct diff_request *r = call->request;
	struct slice name = call->path_arguments[0];
	int64_t from = 0, to = 0;
	return version_number_resolve(tracker, name, "from", r->from, &from, err) &&
	       version_number_resolve(tracker, name, "to", r->to, &to, err) &&
	       version_facts_load(tracker, name, from, VERSION_FILES_LISTED, call->arena,
				  &diff->from, err) &&
	       version_facts_load(tracker, name, to, VERSION_FILES_LISTED, call->arena, &diff->to,
				  err);
}

static bool diff_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct diff *diff = ARENA_NEW(call->arena, struct diff, 1);
	call->result = diff;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && load_both(call, tracker, diff, err);
	snapshot_release(snapshot);
	return ok;
}

/* ---- writing ------------------------------------------------------------------------------------ */

static void put_text_or_null(struct json_writer *w, const char *key, struct slice text_or_absent)
{
	json_key(w, key);
	if (slice_is_present(text_or_absent))
		json_string(w, text_or_absent);
	else
		json_null(w);
}

/* {"key", "from", "to"}; an absent text is null. */
static void put_texts(struct json_writer *w, struct slice key, struct slice from, struct slice to)
{
	if (slice_is_present(from) && slice_is_present(to) && slice_eq(from, to))
		return;
	json_object_begin(w);
	json_put_string(w, "key", key);
	put_text_or_null(w, "from", from);
	put_text_or_null(w, "to", to);
	json_object_end(w);
}

/* Which of two sorted lists is next: < 0 the first alone, 0 both, > 0 the second alone. */
static int next_of(size_t i, size_t count, struct slice left, size_t j, size_t other_count,
		   struct slice right)
{
	if (i == count)
		return 1;
	return j == other_count ? -1 : slice_compare(left, right);
}

static void put_params(struct json_writer *w, const struct version_param_list *from,
		       const struct version_param_list *to)
{
	const struct slice absent = {NULL, 0};
	json_key(w, "params");
	json_array_begin(w);
	for (size_t i = 0, j = 0; i < from->count || j < to->count;) {
		const struct version_param *left = &from->items[i], *right = &to->items[j];
		int order = next_of(i, from->count, left->key, j, to->count, right->key);
		put_texts(w, order <= 0 ? left->key : right->key, order <= 0 ? left->value : absent,
			  order >= 0 ? right->value : absent);
		i += order <= 0;
		j += order >= 0;
	}
	json_array_end(w);
}

static void put_value_or_null(struct json_writer *w, const char *key,
			      const struct version_metric *metric_or_null)
{
	json_key(w, key);
	if (metric_or_null != NULL)
		json_double(w, metric_or_null->value);
	else
		json_null(w);
}

static bool is_same_value(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static void put_metrics(struct json_writer *w, const struct version_metric_list *from,
			const struct version_metric_list *to)
{
	json_key(w, "metrics");
	json_array_begin(w);
	for (size_t i = 0, j = 0; i < from->count || j < to->count;) {
		const struct version_metric *left = &from->items[i], *right = &to->items[j];
		int order = next_of(i, from->count, left->key, j, to->count, right->key);
		i += order <= 0;
		j += order >= 0;
		if (order == 0 && is_same_value(left->value, right->value))
			continue;
		json_object_begin(w);
		json_put_string(w, "key", order <= 0 ? left->key : right->key);
		put_value_or_null(w, "from", order <= 0 ? left : NULL);
		put_value_or_null(w, "to", order >= 0 ? right : NULL);
		json_object_end(w);
	}
	json_array_end(w);
}

static void put_tags(struct json_writer *w, struct key_value_list from, struct key_value_list to)
{
	const struct slice absent = {NULL, 0};
	json_key(w, "tags");
	json_array_begin(w);
	for (size_t i = 0, j = 0; i < from.count || j < to.count;) {
		struct key_value left = i < from.count ? from.items[i] : (struct key_value){0};
		struct key_value right = j < to.count ? to.items[j] : (struct key_value){0};
		int order = next_of(i, from.count, left.key, j, to.count, right.key);
		put_texts(w, order <= 0 ? left.key : right.key, order <= 0 ? left.value : absent,
			  order >= 0 ? right.value : absent);
		i += order <= 0;
		j += order >= 0;
	}
	json_array_end(w);
}

static void put_file_or_null(struct json_writer *w, const char *key,
			     const struct artifact_file *file_or_null)
{
	char hex[SHA256_HEX_LEN + 1];
	json_key(w, key);
	if (file_or_null == NULL) {
		json_null(w);
		return;
	}
	digest_hex(file_or_null->sha256, hex);
	json_object_begin(w);
	json_put_int(w, "size", file_or_null->size);
	json_put_cstr(w, "sha256", hex);
	json_object_end(w);
}

static void put_files(struct json_writer *w, const struct artifact_file_list *from,
		      const struct artifact_file_list *to)
{
	json_key(w, "files");
	json_array_begin(w);
	for (size_t i = 0, j = 0; i < from->count || j < to->count;) {
		const struct artifact_file *left = i < from->count ? &from->items[i] : NULL;
		const struct artifact_file *right = j < to->count ? &to->items[j] : NULL;
		int order = left == NULL    ? 1
			    : right == NULL ? -1
					    : slice_compare(left->path, right->path);
		i += order <= 0;
		j += order >= 0;
		if (order == 0 && memcmp(left->sha256, right->sha256, SHA256_BYTES) == 0)
			continue;
		json_object_begin(w);
		json_put_string(w, "path", order <= 0 ? left->path : right->path);
		put_file_or_null(w, "from", order <= 0 ? left : NULL);
		put_file_or_null(w, "to", order >= 0 ? right : NULL);
		json_object_end(w);
	}
	json_array_end(w);
}

/* ---- datasets ----------------------------------------------------------------------------------- */

/* A dataset and what it was used for: those of one key are compared by their digests. */
struct use {
	struct slice name, context, digest;
};
struct use_list {
	struct use *items;
	size_t count;
};

static int compare_keys(const struct use *a, const struct use *b)
{
	int order = slice_compare(a->name, b->name);
	return order != 0 ? order : slice_compare(a->context, b->context);
}

static int compare_uses(const void *a, const void *b)
{
	const struct use *left = a, *right = b;
	int order = compare_keys(left, right);
	return order != 0 ? order : slice_compare(left->digest, right->digest);
}

static bool has_use(const struct use_list *list, const struct use *use)
{
	return list->count > 0 &&
	       bsearch(use, list->items, list->count, sizeof(*use), compare_uses) != NULL;
}

static struct use_list uses_of(const struct version_facts *facts, struct arena *arena)
{
	const struct dataset_input_list none = {0};
	const struct dataset_input_list *inputs =
		facts->run_or_null != NULL ? &facts->run_or_null->inputs : &none;
	struct use_list list = {ARENA_NEW(arena, struct use, inputs->count + 1), inputs->count};
	for (size_t i = 0; i < inputs->count; i++)
		list.items[i] =
			(struct use){inputs->items[i].name, version_json_context(&inputs->items[i]),
				     inputs->items[i].digest};
	if (list.count > 1)
		qsort(list.items, list.count, sizeof(*list.items), compare_uses);
	return list;
}

/* Those that the other version does not use as well. */
static struct use_list without(const struct use_list *list, const struct use_list *other,
			       struct arena *arena)
{
	struct use_list rest = {ARENA_NEW(arena, struct use, list->count + 1), 0};
	for (size_t i = 0; i < list->count; i++) {
		if (!has_use(other, &list->items[i]))
			rest.items[rest.count++] = list->items[i];
	}
	return rest;
}

static void put_datasets(struct json_writer *w, const struct diff *diff, struct arena *arena)
{
	const struct slice absent = {NULL, 0};
	struct use_list all_from = uses_of(&diff->from, arena), all_to = uses_of(&diff->to, arena);
	struct use_list from = without(&all_from, &all_to, arena);
	struct use_list to = without(&all_to, &all_from, arena);
	json_key(w, "datasets");
	json_array_begin(w);
	for (size_t i = 0, j = 0; i < from.count || j < to.count;) {
		const struct use *left = &from.items[i], *right = &to.items[j];
		int order = i == from.count ? 1 : j == to.count ? -1 : compare_keys(left, right);
		const struct use *use = order <= 0 ? left : right;
		json_object_begin(w);
		json_put_string(w, "key", use->name);
		json_put_string(w, "context", use->context);
		put_text_or_null(w, "from", order <= 0 ? left->digest : absent);
		put_text_or_null(w, "to", order >= 0 ? right->digest : absent);
		json_object_end(w);
		i += order <= 0;
		j += order >= 0;
	}
	json_array_end(w);
}

static void diff_encode(const struct call *call, struct json_writer *w)
{
	const struct diff *diff = call->result;
	json_object_begin(w);
	json_key(w, "from");
	version_json_summary(w, &diff->from);
	json_key(w, "to");
	version_json_summary(w, &diff->to);
	put_params(w, &diff->from.params, &diff->to.params);
	put_metrics(w, &diff->from.metrics, &diff->to.metrics);
	put_datasets(w, diff, call->arena);
	put_tags(w, diff->from.version.tags, diff->to.version.tags);
	put_files(w, &diff->from.files, &diff->to.files);
	json_object_end(w);
}

const struct endpoint version_diff = {
	.kind = ENDPOINT_READ,
	.shows_revision = true,
	.fields_or_null = diff_fields,
	.request_bytes = sizeof(struct diff_request),
	.check = diff_check,
	.execute = diff_execute,
	.encode = diff_encode,
	.summary = "Compare two versions of a model",
};
