/* Owns GET /api/trackerd/v1/gc: what would go for good, byte by byte, and why the rest stays. */
#include "api/gc.h"

#include "api/gc_verdict.h"
#include "artifacts/blob_account.h"
#include "store/snapshot.h"
#include "store/traces.h"

struct plan_request {
	struct opt_i64 older_than_ms, deleted_before_ms;
	int64_t before_ms; /* by check */
};

// clang-format off
static const struct field plan_fields[] = {
	FIELD_I64(struct plan_request, older_than_ms, FIELD_OPTIONAL),
	FIELD_I64(struct plan_request, deleted_before_ms, FIELD_OPTIONAL),
	FIELDS_END,
};
// clang-format on

struct item {
	struct garbage garbage;
	struct gc_verdict verdict;
	struct garbage_figures rows;	   /* of what goes */
	struct blob_account_figures files; /* likewise */
};

struct plan {
	struct item *items;
	size_t count;
	int64_t counts[GARBAGE_KINDS]; /* of what goes */
	struct garbage_figures rows;   /* sums, likewise */
	struct blob_account_figures files;
	int64_t tracker_bytes, tracker_free_bytes, artifacts_bytes, artifacts_free_bytes;
};

static bool plan_check(struct call *call, struct error *err)
{
	struct plan_request *request = call->request;
	return gc_age_check(request->older_than_ms, request->deleted_before_ms, call->now_ms,
			    &request->before_ms, err);
}

/* ---- figures ------------------------------------------------------------------------------------ */

static void add_files(struct blob_account_figures *sum, const struct blob_account_figures *f)
{
	sum->file_count += f->file_count;
	sum->file_bytes += f->file_bytes;
	sum->freed_bytes += f->freed_bytes;
	sum->shared_bytes += f->shared_bytes;
}

static bool account_path(struct blob_account *account, struct slice path, struct item *item,
			 struct error *err)
{
	struct blob_account_figures figures;
	if (path.len == 0)
		return true;
	if (!blob_account_add(account, path, &figures, err))
		return false;
	add_files(&item->files, &figures);
	return true;
}

/* The folders of its traces, where they do not go with its own. */
static bool account_traces(struct blob_account *account, struct item *item, struct error *err)
{
	const struct trace_selection selection = {.experiment_id = item->garbage.pk,
						  .max_time_ms = INT64_MAX};
	struct trace_ref_list traces;
	size_t count_max = (size_t)item->rows.rows; /* traces are among these */
	if (!traces_select(account->tracker, &selection, count_max, account->arena, &traces, err))
		return false;
	for (size_t i = 0; i < traces.count; i++) {
		struct slice path =
			gc_trace_folder(&item->garbage, traces.items[i].trace_id, account->arena);
		if (!account_path(account, path, item, err))
			return false;
	}
	return true;
}

static bool measure(struct blob_account *account, struct item *item, struct error *err)
{
	struct slice folder;
	if (!garbage_measure(account->tracker, &item->garbage, &item->rows, err) ||
	    !gc_folder(account->tracker, &item->garbage, account->arena, &folder, err))
		return false;
	if (item->garbage.kind == GARBAGE_EXPERIMENT && folder.len == 0)
		return account_traces(account, item, err);
	return account_path(account, folder, item, err);
}

/* ---- the plan ----------------------------------------------------------------------------------- */

/* An experiment stays as long as something in it does. */
static bool check_contents(const struct plan *plan, struct db *tracker, struct item *item,
			   struct arena *arena, struct error *err)
{
	bool has_active_runs;
	if (!garbage_has_active_runs(tracker, item->garbage.pk, &has_active_runs, err))
		return false;
	if (has_active_runs)
		item->verdict = (struct gc_verdict){GC_CONTENTS, SLICE("it has an active run")};
	for (size_t i = 0; i < plan->count; i++) {
		const struct item *other = &plan->items[i];
		if (other->verdict.reason == GC_GOES ||
		    other->garbage.experiment_id != item->garbage.pk)
			continue;
		item->verdict.reason = GC_CONTENTS;
		item->verdict.text =
			arena_printf(arena, "its %s %.*s stays",
				     other->garbage.kind == GARBAGE_RUN ? "run" : "logged model",
				     SLICE_FMT(other->garbage.id));
		break;
	}
	return true;
}

static bool add_item(struct plan *plan, struct blob_account *account, const struct garbage *garbage,
		     int64_t before_ms, struct error *err)
{
	struct item item = {.garbage = *garbage};
	struct arena *arena = account->arena;
	if (!gc_judge(account->tracker, garbage, before_ms, arena, &item.verdict, err))
		return false;
	if (garbage->kind == GARBAGE_EXPERIMENT && item.verdict.reason == GC_GOES &&
	    !check_contents(plan, account->tracker, &item, arena, err))
		return false;
	if (item.verdict.reason == GC_GOES) {
		if (!measure(account, &item, err))
			return false;
		plan->counts[garbage->kind]++;
		plan->rows.rows += item.rows.rows;
		plan->rows.metric_bytes += item.rows.metric_bytes;
		add_files(&plan->files, &item.files);
	}
	plan->items = arena_list_room(arena, plan->items, plan->count, sizeof(*plan->items));
	plan->items[plan->count++] = item;
	return true;
}

static bool fill(struct plan *plan, struct blob_account *account, int64_t before_ms,
		 struct error *err)
{
	struct garbage_cursor cursor = GARBAGE_CURSOR_BEGIN;
	struct garbage garbage;
	bool found = true;
	while (found) {
		if (!garbage_next(account->tracker, &cursor, account->arena, &garbage, &found, err))
			return false;
		if (found && !add_item(plan, account, &garbage, before_ms, err))
			return false;
	}
	return true;
}

static bool plan_execute(struct call *call, struct db *tracker, struct error *err)
{
	const struct plan_request *request = call->request;
	struct plan *plan = ARENA_NEW(call->arena, struct plan, 1);
	struct blob_account account;
	call->result = plan;
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	if (snapshot == NULL)
		return false;
	blob_account_init(&account, tracker, call->blobs, call->arena);
	bool ok = fill(plan, &account, request->before_ms, err);
	snapshot_release(snapshot);
	return ok && db_size(tracker, &plan->tracker_bytes, &plan->tracker_free_bytes, err) &&
	       db_size(call->blobs, &plan->artifacts_bytes, &plan->artifacts_free_bytes, err);
}

/* ---- the reply ---------------------------------------------------------------------------------- */

static void put_figures(struct json_writer *w, const struct garbage_figures *rows,
			const struct blob_account_figures *files)
{
	json_put_int(w, "rows", rows->rows);
	json_put_int(w, "metric_bytes", rows->metric_bytes);
	json_put_int(w, "files", files->file_count);
	json_put_int(w, "artifact_bytes", files->file_bytes);
	json_put_int(w, "shared_bytes", files->shared_bytes);
	json_put_int(w, "freed_bytes", files->freed_bytes);
}

static void put_item(struct json_writer *w, const struct item *item, struct arena *arena)
{
	const struct garbage *g = &item->garbage;
	json_object_begin(w);
	json_put_string(w, "kind", gc_kind_name(g->kind));
	json_put_string(w, "id", g->id);
	json_put_string(w, "name", g->name);
	json_put_string(w, "experiment_id",
			arena_printf(arena, "%lld", (long long)g->experiment_id));
	json_put_int(w, "deleted_ms", g->deleted_ms);
	if (item->verdict.reason == GC_GOES) {
		put_figures(w, &item->rows, &item->files);
	} else {
		json_put_string(w, "reason", gc_reason_name(item->verdict.reason));
		json_put_string(w, "text", item->verdict.text);
	}
	json_object_end(w);
}

static void put_items(struct json_writer *w, const struct plan *plan, bool that_go,
		      struct arena *arena)
{
	json_key(w, that_go ? "goes" : "stays");
	json_array_begin(w);
	for (size_t i = 0; i < plan->count; i++) {
		if ((plan->items[i].verdict.reason == GC_GOES) == that_go)
			put_item(w, &plan->items[i], arena);
	}
	json_array_end(w);
}

static void plan_encode(const struct call *call, struct json_writer *w)
{
	const struct plan_request *request = call->request;
	const struct plan *plan = call->result;
	json_object_begin(w);
	json_put_int(w, "deleted_before_ms", request->before_ms);
	put_items(w, plan, true, call->arena);
	put_items(w, plan, false, call->arena);
	json_key(w, "total");
	json_object_begin(w);
	json_put_int(w, "runs", plan->counts[GARBAGE_RUN]);
	json_put_int(w, "logged_models", plan->counts[GARBAGE_LOGGED_MODEL]);
	json_put_int(w, "experiments", plan->counts[GARBAGE_EXPERIMENT]);
	put_figures(w, &plan->rows, &plan->files);
	json_object_end(w);
	json_put_int(w, "tracker_bytes", plan->tracker_bytes);
	json_put_int(w, "tracker_free_bytes", plan->tracker_free_bytes);
	json_put_int(w, "artifacts_bytes", plan->artifacts_bytes);
	json_put_int(w, "artifacts_free_bytes", plan->artifacts_free_bytes);
	json_object_end(w);
}

const struct endpoint gc_plan = {
	.kind = ENDPOINT_READ,
	.fields_or_null = plan_fields,
	.request_bytes = sizeof(struct plan_request),
	.check = plan_check,
	.execute = plan_execute,
	.encode = plan_encode,
	.summary = "What would be removed for good, and why the rest stays",
};
