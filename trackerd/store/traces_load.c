/* Owns the reading of whole traces: one statement a table for each 500 of them. */
#include "store/traces_load.h"

#include "db/sql_builder.h"
#include "store/assessments.h"
#include "store/key_values.h"
#include "store/pk_list.h"

static bool load_piece(struct db *db, struct pk_list *list, struct arena *arena,
		       struct trace *traces, struct assessment_list *assessments,
		       struct error *err);
static bool load_info(struct db *db, struct pk_list *list, struct arena *arena,
		      struct trace *traces, struct error *err);
static void read_info(const struct db_statement *st, struct arena *arena, struct trace *out);
static bool load_key_values(struct db *db, struct sql select, struct pk_list *list,
			    struct arena *arena, struct trace *traces, size_t list_offset,
			    struct error *err);

bool traces_load(struct db *db, const struct trace_pk *pks, size_t count, struct arena *arena,
		 struct trace *traces_out, struct error *err)
{
	struct assessment_list *assessments = ARENA_NEW(arena, struct assessment_list, count);
	for (size_t from = 0; from < count; from += PK_LIST_COUNT_MAX) {
		int64_t numbers[PK_LIST_COUNT_MAX];
		struct pk_list list;
		size_t piece_count =
			count - from < PK_LIST_COUNT_MAX ? count - from : PK_LIST_COUNT_MAX;
		for (size_t i = 0; i < piece_count; i++)
			numbers[i] = pks[from + i].value;
		pk_list_init(&list, numbers, piece_count, from, arena);
		if (!load_piece(db, &list, arena, traces_out, assessments, err))
			return false;
	}
	for (size_t i = 0; i < count; i++)
		traces_out[i].assessments = assessments[i];
	return true;
}

static bool load_piece(struct db *db, struct pk_list *list, struct arena *arena,
		       struct trace *traces, struct assessment_list *assessments, struct error *err)
{
	return load_info(db, list, arena, traces, err) &&
	       load_key_values(db,
			       SQL("SELECT trace_pk, key, value FROM trace_metadata WHERE trace_pk "
				   "IN "),
			       list, arena, traces, offsetof(struct trace, metadata), err) &&
	       load_key_values(db,
			       SQL("SELECT trace_pk, key, value FROM trace_tags WHERE trace_pk IN "),
			       list, arena, traces, offsetof(struct trace, tags), err) &&
	       assessments_load_of(db, list, arena, assessments, err);
}

static bool load_info(struct db *db, struct pk_list *list, struct arena *arena,
		      struct trace *traces, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT trace_pk, trace_id, experiment_id, request_time_ms, "
			 "execution_time_ms, state,"
			 " client_request_id, request_preview, response_preview FROM traces"
			 " WHERE trace_pk IN "));
	pk_list_append(list, &b);
	sql_text(&b, SQL(" ORDER BY trace_pk"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	size_t found_count = 0;
	enum db_row row;
	pk_list_rewind(list);
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(list, db_column_i64(st, 0));
		read_info(st, arena, &traces[slot->index]);
		found_count++;
	}
	if (row == DB_FAILED)
		return false;
	/* The caller found these row numbers in the same snapshot. */
	if (found_count != list->count)
		return error_set(err, ERR_INTERNAL_ERROR, "A trace vanished while it was read.");
	return true;
}

static void read_info(const struct db_statement *st, struct arena *arena, struct trace *out)
{
	*out = (struct trace){
		.pk = {db_column_i64(st, 0)},
		.trace_id = db_column_copy(st, 1, arena),
		.experiment_id = db_column_i64(st, 2),
		.request_time_ms = db_column_i64(st, 3),
		.has_execution_time = !db_column_is_null(st, 4),
		.execution_time_ms = db_column_i64(st, 4),
		.state = db_column_copy(st, 5, arena),
		.client_request_id = db_column_copy(st, 6, arena),
		.request_preview = db_column_copy(st, 7, arena),
		.response_preview = db_column_copy(st, 8, arena),
	};
}

/* Fills the key_value_list at `list_offset` of each trace, sorted by key. */
static bool load_key_values(struct db *db, struct sql select, struct pk_list *list,
			    struct arena *arena, struct trace *traces, size_t list_offset,
			    struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, select);
	pk_list_append(list, &b);
	sql_text(&b, SQL(" ORDER BY trace_pk, key"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(list);
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct trace *trace = &traces[pk_list_seek(list, db_column_i64(st, 0))->index];
		struct key_value_list *values = (void *)((char *)trace + list_offset);
		const struct key_value item = {db_column_copy(st, 1, arena),
					       db_column_copy(st, 2, arena)};
		key_values_add(values, item, arena);
	}
	return row == DB_DONE;
}
