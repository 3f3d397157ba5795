/* Owns the rows of traces, their tags, metadata and links. */
#include "store/traces.h"

#include "store/artifact_uri.h"
#include "store/assessments.h"
#include "store/key_values.h"
#include "store/tags.h"

static bool error_missing(struct error *err, struct slice trace_id);
static struct key_value_list with_location(struct key_value_list tags, struct slice location,
					   struct arena *arena);
static bool insert_row(struct db *db, struct trace *trace, struct error *err);
static bool update_row(struct db *db, const struct trace *trace, struct error *err);
static void bind_info(struct db_statement *st, const struct trace *trace);
static bool select_by_ids(struct db *db, const struct trace_selection *selection, size_t count_max,
			  struct trace_ref_list *out, struct error *err);
static bool select_by_time(struct db *db, const struct trace_selection *selection, size_t count_max,
			   struct arena *arena, struct trace_ref_list *out, struct error *err);

bool trace_find_if_any(struct db *db, struct slice trace_id, struct trace_pk *out, bool *found_out,
		       struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT trace_pk FROM traces WHERE trace_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, trace_id);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out)
		out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

bool trace_find(struct db *db, struct slice trace_id, struct trace_pk *out, struct error *err)
{
	bool found;
	return trace_find_if_any(db, trace_id, out, &found, err) &&
	       (found || error_missing(err, trace_id));
}

bool trace_experiment(struct db *db, struct trace_pk pk, int64_t *experiment_id_out,
		      struct error *err)
{
	bool found;
	struct db_statement *st =
		db_prepare(db, SQL("SELECT experiment_id FROM traces WHERE trace_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found); /* this transaction found the pk */
	*experiment_id_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool error_missing(struct error *err, struct slice trace_id)
{
	char quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Trace with ID '%s' not found.",
			 error_quote(trace_id, quoted, sizeof(quoted)));
}

bool trace_location(struct db *db, struct slice trace_id, struct arena *arena,
		    struct slice *uri_out, struct error *err)
{
	bool found;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT e.artifact_location FROM traces AS t JOIN experiments AS e"
		    " ON e.experiment_id = t.experiment_id WHERE t.trace_id = $1"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, trace_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		*uri_out = trace_directory_uri(db_column_text(st, 0), trace_id, arena);
	db_reset(st);
	return found || error_missing(err, trace_id);
}

/* ---- making and ending -------------------------------------------------------------------------- */

struct slice trace_directory_uri(struct slice experiment_location, struct slice trace_id,
				 struct arena *arena)
{
	struct slice traces = artifact_uri_join(experiment_location, SLICE("traces"), arena);
	return artifact_uri_join(traces, trace_id, arena);
}

bool trace_put_in_txn(struct db *db, struct trace *trace, struct slice experiment_location,
		      struct arena *arena, bool *is_new_out, struct error *err)
{
	bool found;
	struct slice directory = trace_directory_uri(experiment_location, trace->trace_id, arena);
	struct slice location = artifact_uri_join(directory, SLICE("artifacts"), arena);
	trace->tags = key_values_sorted_unique(with_location(trace->tags, location, arena), arena);
	trace->metadata = key_values_sorted_unique(trace->metadata, arena);
	if (!trace_find_if_any(db, trace->trace_id, &trace->pk, &found, err) ||
	    !(found ? update_row(db, trace, err) : insert_row(db, trace, err)) ||
	    !trace_tags_set_in_txn(db, trace->pk, trace->tags, arena, err) ||
	    !trace_metadata_set_in_txn(db, trace->pk, trace->metadata, arena, err))
		return false;
	for (size_t i = 0; i < trace->assessments.count; i++) {
		if (!assessment_put_in_txn(db, trace->pk, &trace->assessments.items[i], arena, err))
			return false;
	}
	*is_new_out = !found;
	return true;
}

/* The last one of equal keys counts. */
static struct key_value_list with_location(struct key_value_list tags, struct slice location,
					   struct arena *arena)
{
	struct key_value_list out = {ARENA_NEW(arena, struct key_value, tags.count + 1),
				     tags.count + 1};
	for (size_t i = 0; i < tags.count; i++)
		out.items[i] = tags.items[i];
	out.items[tags.count] = (struct key_value){TRACE_LOCATION_TAG, location};
	return out;
}

static bool insert_row(struct db *db, struct trace *trace, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO traces (trace_id, experiment_id, request_time_ms, "
		    "execution_time_ms,"
		    " state, client_request_id, request_preview, response_preview)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING trace_pk"),
		err);
	if (st == NULL)
		return false;
	bind_info(st, trace);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	trace->pk.value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool update_row(struct db *db, const struct trace *trace, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE traces SET experiment_id = $2, request_time_ms = $3, execution_time_ms "
		    "= $4, state = $5,"
		    " client_request_id = $6,"
		    " request_preview = COALESCE($7, request_preview),"
		    " response_preview = COALESCE($8, response_preview) WHERE trace_id = $1"),
		err);
	if (st == NULL)
		return false;
	bind_info(st, trace);
	return db_run(st, err);
}

static void bind_info(struct db_statement *st, const struct trace *trace)
{
	db_bind_text(st, 1, trace->trace_id);
	db_bind_i64(st, 2, trace->experiment_id);
	db_bind_i64(st, 3, trace->request_time_ms);
	if (trace->has_execution_time)
		db_bind_i64(st, 4, trace->execution_time_ms);
	db_bind_text(st, 5, trace->state);
	db_bind_text(st, 6, trace->client_request_id);
	db_bind_text(st, 7, trace->request_preview);
	db_bind_text(st, 8, trace->response_preview);
}

bool trace_end_in_txn(struct db *db, struct trace_pk pk, int64_t end_time_ms, struct slice state,
		      struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE traces SET execution_time_ms = $1 - request_time_ms, state = $2"
		    " WHERE trace_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, end_time_ms);
	db_bind_text(st, 2, state);
	db_bind_i64(st, 3, pk.value);
	return db_run(st, err);
}

/* ---- tags and metadata -------------------------------------------------------------------------- */

bool trace_tags_set_in_txn(struct db *db, struct trace_pk pk, struct key_value_list tags,
			   struct arena *arena, struct error *err)
{
	return key_value_rows_set_in_txn(
		db,
		SQL("INSERT INTO trace_tags (trace_pk, key, value) VALUES ($1, $2, $3)"
		    " ON CONFLICT (trace_pk, key) DO UPDATE SET value = excluded.value"),
		pk.value, tags, arena, err);
}

bool trace_metadata_set_in_txn(struct db *db, struct trace_pk pk, struct key_value_list metadata,
			       struct arena *arena, struct error *err)
{
	return key_value_rows_set_in_txn(
		db,
		SQL("INSERT INTO trace_metadata (trace_pk, key, value) VALUES ($1, $2, $3)"
		    " ON CONFLICT (trace_pk, key) DO UPDATE SET value = excluded.value"),
		pk.value, metadata, arena, err);
}

bool trace_tag_delete_in_txn(struct db *db, struct trace_pk pk, struct slice key, bool *deleted_out,
			     struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("DELETE FROM trace_tags WHERE trace_pk = $1 AND key = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, key);
	if (!db_run(st, err))
		return false;
	*deleted_out = db_changes(db) > 0;
	return true;
}

/* ---- links -------------------------------------------------------------------------------------- */

bool trace_link_run_in_txn(struct db *db, struct slice trace_id, struct slice run_id,
			   struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO trace_runs (trace_id, run_id) VALUES ($1, $2)"
			       " ON CONFLICT (trace_id, run_id) DO NOTHING"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, trace_id);
	db_bind_text(st, 2, run_id);
	return db_run(st, err);
}

bool trace_link_prompt_in_txn(struct db *db, struct trace_pk pk, struct slice prompt,
			      struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO trace_prompts (trace_pk, prompt) VALUES ($1, $2)"
			       " ON CONFLICT (trace_pk, prompt) DO NOTHING"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, prompt);
	return db_run(st, err);
}

/* ---- deleting ----------------------------------------------------------------------------------- */

bool traces_select(struct db *db, const struct trace_selection *selection, size_t count_max,
		   struct arena *arena, struct trace_ref_list *out, struct error *err)
{
	struct trace_ref_list list = {ARENA_NEW(arena, struct trace_ref, count_max), 0};
	bool ok = selection->trace_id_count > 0
			  ? select_by_ids(db, selection, count_max, &list, err)
			  : select_by_time(db, selection, count_max, arena, &list, err);
	if (ok)
		*out = list;
	return ok;
}

static bool select_by_ids(struct db *db, const struct trace_selection *selection, size_t count_max,
			  struct trace_ref_list *out, struct error *err)
{
	for (size_t i = 0; i < selection->trace_id_count && out->count < count_max; i++) {
		bool found;
		struct db_statement *st =
			db_prepare(db,
				   SQL("SELECT trace_pk FROM traces WHERE trace_id = $1 AND "
				       "experiment_id = $2"),
				   err);
		if (st == NULL)
			return false;
		db_bind_text(st, 1, selection->trace_ids[i]);
		db_bind_i64(st, 2, selection->experiment_id);
		if (!db_fetch_one(st, &found, err))
			return false;
		if (found)
			out->items[out->count++] = (struct trace_ref){{db_column_i64(st, 0)},
								      selection->trace_ids[i]};
		db_reset(st);
	}
	return true;
}

static bool select_by_time(struct db *db, const struct trace_selection *selection, size_t count_max,
			   struct arena *arena, struct trace_ref_list *out, struct error *err)
{
	enum db_row row;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT trace_pk, trace_id FROM traces WHERE experiment_id = $1"
			       " AND request_time_ms <= $2 ORDER BY request_time_ms, trace_id"
			       " LIMIT $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, selection->experiment_id);
	db_bind_i64(st, 2, selection->max_time_ms);
	db_bind_i64(st, 3, (int64_t)count_max);
	while ((row = db_step(st, err)) == DB_ROW)
		out->items[out->count++] = (struct trace_ref){{db_column_i64(st, 0)},
							      db_column_copy(st, 1, arena)};
	return row == DB_DONE;
}

static bool delete_links(struct db *db, struct slice trace_id, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM trace_runs WHERE trace_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, trace_id);
	return db_run(st, err);
}

bool trace_delete_in_txn(struct db *db, const struct trace_ref *trace, struct error *err)
{
	if (!delete_links(db, trace->trace_id, err))
		return false;
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM traces WHERE trace_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, trace->pk.value);
	return db_run(st, err);
}
