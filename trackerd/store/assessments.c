/* Owns the rows of assessments and their metadata. */
#include "store/assessments.h"

#include <string.h>

#include "base/json_scanner.h"
#include "db/sql_builder.h"
#include "store/key_values.h"
#include "store/traces.h"

/* What read_row reads. */
#define COLUMNS                                                                                     \
	"a.assessment_pk, a.trace_pk, t.trace_id, a.assessment_id, a.name, a.kind, a.value,"        \
	" a.is_serialized, a.has_error, a.error_code, a.error_message, a.error_stack_trace,"        \
	" a.source_type, a.source_id, a.span_id, a.rationale, a.overrides, a.is_valid,"             \
	" a.create_time_ms, a.last_update_time_ms"                                                  \
	" FROM assessments AS a JOIN traces AS t ON t.trace_pk = a.trace_pk "

static const char *const kind_names[] = {
	[ASSESSMENT_FEEDBACK] = "feedback",
	[ASSESSMENT_EXPECTATION] = "expectation",
	[ASSESSMENT_ISSUE] = "issue",
};

static bool put_row(struct db *db, struct trace_pk trace_pk, const struct assessment *a,
		    struct arena *arena, int64_t *pk_out, struct error *err);
static void bind_value(struct db_statement *st, const struct assessment *a, struct arena *arena);
static bool put_metadata(struct db *db, int64_t pk, const struct key_value_list *metadata,
			 struct error *err);
static bool set_valid(struct db *db, struct trace_pk trace_pk, struct slice assessment_id,
		      bool is_valid, bool *found_out, struct error *err);
static bool error_missing(struct error *err, struct slice trace_id, struct slice assessment_id);
static bool find(struct db *db, struct slice trace_id, struct slice assessment_id,
		 struct arena *arena, struct assessment *out, struct trace_pk *trace_pk_out,
		 bool *found_out, struct error *err);
static void read_row(const struct db_statement *st, struct arena *arena, struct assessment *out);
static enum assessment_kind kind_of(struct slice name);
static bool load_rows(struct db *db, struct pk_list *traces, struct arena *arena,
		      struct assessment_list *lists, struct error *err);
static void add(struct assessment_list *list, const struct assessment *a, struct arena *arena);
static bool load_metadata_of(struct db *db, struct pk_list *traces, struct arena *arena,
			     struct assessment_list *lists, struct error *err);

/* ---- making and deleting ------------------------------------------------------------------------ */

bool assessment_put_in_txn(struct db *db, struct trace_pk trace_pk, const struct assessment *a,
			   struct arena *arena, struct error *err)
{
	int64_t pk = 0;
	return put_row(db, trace_pk, a, arena, &pk, err) && put_metadata(db, pk, &a->metadata, err);
}

bool assessment_override_in_txn(struct db *db, struct trace_pk trace_pk, struct slice trace_id,
				struct slice assessment_id, struct error *err)
{
	bool found;
	return set_valid(db, trace_pk, assessment_id, false, &found, err) &&
	       (found || error_missing(err, trace_id, assessment_id));
}

static bool put_row(struct db *db, struct trace_pk trace_pk, const struct assessment *a,
		    struct arena *arena, int64_t *pk_out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO assessments (trace_pk, assessment_id, name, kind, value, "
		    "is_serialized,"
		    " search_text, search_number, has_error, error_code, error_message,"
		    " error_stack_trace, source_type, source_id, span_id, rationale, overrides,"
		    " is_valid, create_time_ms, last_update_time_ms)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,"
		    " $17, $18, $19, $20)"
		    " ON CONFLICT (assessment_id) DO UPDATE SET name = excluded.name,"
		    " kind = excluded.kind, value = excluded.value,"
		    " is_serialized = excluded.is_serialized, search_text = excluded.search_text,"
		    " search_number = excluded.search_number, has_error = excluded.has_error,"
		    " error_code = excluded.error_code, error_message = excluded.error_message,"
		    " error_stack_trace = excluded.error_stack_trace,"
		    " source_type = excluded.source_type, source_id = excluded.source_id,"
		    " span_id = excluded.span_id, rationale = excluded.rationale,"
		    " overrides = excluded.overrides, is_valid = excluded.is_valid,"
		    " create_time_ms = excluded.create_time_ms,"
		    " last_update_time_ms = excluded.last_update_time_ms"
		    " RETURNING assessment_pk"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, trace_pk.value);
	bind_value(st, a, arena);
	const struct slice texts[] = {a->source_type, a->source_id, a->span_id, a->rationale,
				      a->overrides};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		db_bind_text(st, 13 + (int)i, texts[i]);
	db_bind_i64(st, 18, a->is_valid);
	db_bind_i64(st, 19, a->create_time_ms);
	db_bind_i64(st, 20, a->last_update_time_ms);
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	*pk_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

/* Parameters 2 to 12. */
static void bind_value(struct db_statement *st, const struct assessment *a, struct arena *arena)
{
	struct json_scanner s;
	struct slice search_text = a->value;
	double number;
	json_scanner_init(&s, a->value);
	enum json_token token = a->kind == ASSESSMENT_ISSUE ? JSON_END : json_scan_next(&s);
	if (token == JSON_STRING)
		search_text = json_scan_text(&s, arena);
	db_bind_text(st, 2, a->assessment_id);
	db_bind_text(st, 3, a->name);
	db_bind_text(st, 4, slice_from_cstr(kind_names[a->kind]));
	db_bind_text(st, 5, a->value);
	db_bind_i64(st, 6, a->is_serialized);
	db_bind_text(st, 7, search_text);
	if (token == JSON_NUMBER && slice_parse_double(s.raw, &number))
		db_bind_double(st, 8, number);
	db_bind_i64(st, 9, a->has_error);
	db_bind_text(st, 10, a->error.error_code);
	db_bind_text(st, 11, a->error.error_message);
	db_bind_text(st, 12, a->error.stack_trace);
}

/* Adds to what an older one has. */
static bool put_metadata(struct db *db, int64_t pk, const struct key_value_list *metadata,
			 struct error *err)
{
	for (size_t i = 0; i < metadata->count; i++) {
		struct db_statement *st = db_prepare(
			db,
			SQL("INSERT INTO assessment_metadata (assessment_pk, key, value)"
			    " VALUES ($1, $2, $3)"
			    " ON CONFLICT (assessment_pk, key) DO UPDATE SET value = excluded.value"),
			err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, pk);
		db_bind_text(st, 2, metadata->items[i].key);
		db_bind_text(st, 3, metadata->items[i].value);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

static bool set_valid(struct db *db, struct trace_pk trace_pk, struct slice assessment_id,
		      bool is_valid, bool *found_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE assessments SET is_valid = $1 WHERE assessment_id = $2 AND trace_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, is_valid);
	db_bind_text(st, 2, assessment_id);
	db_bind_i64(st, 3, trace_pk.value);
	if (!db_run(st, err))
		return false;
	*found_out = db_changes(db) > 0;
	return true;
}

bool assessment_delete_in_txn(struct db *db, struct slice trace_id, struct slice assessment_id,
			      struct arena *arena, struct error *err)
{
	struct assessment a;
	struct trace_pk trace_pk;
	bool found;
	if (!find(db, trace_id, assessment_id, arena, &a, &trace_pk, &found, err))
		return false;
	if (!found)
		return true;
	if (a.overrides.len > 0 && !set_valid(db, trace_pk, a.overrides, true, &found, err))
		return false;
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM assessments WHERE assessment_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, a.pk);
	return db_run(st, err);
}

/* ---- reading one -------------------------------------------------------------------------------- */

static bool error_missing(struct error *err, struct slice trace_id, struct slice assessment_id)
{
	char trace_quoted[128], assessment_quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
			 "Assessment with ID '%s' not found for trace '%s'",
			 error_quote(assessment_id, assessment_quoted, sizeof(assessment_quoted)),
			 error_quote(trace_id, trace_quoted, sizeof(trace_quoted)));
}

static bool find(struct db *db, struct slice trace_id, struct slice assessment_id,
		 struct arena *arena, struct assessment *out, struct trace_pk *trace_pk_out,
		 bool *found_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT " COLUMNS "WHERE a.assessment_id = $1 AND t.trace_id = $2"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, assessment_id);
	db_bind_text(st, 2, trace_id);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out) {
		read_row(st, arena, out);
		trace_pk_out->value = db_column_i64(st, 1);
	}
	db_reset(st);
	return true;
}

bool assessment_load(struct db *db, struct slice trace_id, struct slice assessment_id,
		     struct arena *arena, struct assessment *out, struct trace_pk *trace_pk_out,
		     struct error *err)
{
	struct assessment_list list = {out, 1};
	struct pk_list traces;
	bool found, trace_exists;
	if (!find(db, trace_id, assessment_id, arena, out, trace_pk_out, &found, err))
		return false;
	if (found) {
		pk_list_init(&traces, &trace_pk_out->value, 1, 0, arena);
		return load_metadata_of(db, &traces, arena, &list, err);
	}
	if (!trace_find_if_any(db, trace_id, trace_pk_out, &trace_exists, err))
		return false;
	if (trace_exists)
		return error_missing(err, trace_id, assessment_id);
	char quoted[128];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Trace with request_id '%s' not found",
			 error_quote(trace_id, quoted, sizeof(quoted)));
}

bool assessment_exists(struct db *db, struct slice assessment_id, bool *exists_out,
		       struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("SELECT 1 FROM assessments WHERE assessment_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, assessment_id);
	if (!db_fetch_one(st, exists_out, err))
		return false;
	db_reset(st);
	return true;
}

/* ---- reading many ------------------------------------------------------------------------------- */

bool assessments_load_of(struct db *db, struct pk_list *traces, struct arena *arena,
			 struct assessment_list *lists_out, struct error *err)
{
	return load_rows(db, traces, arena, lists_out, err) &&
	       load_metadata_of(db, traces, arena, lists_out, err);
}

static bool load_rows(struct db *db, struct pk_list *traces, struct arena *arena,
		      struct assessment_list *lists, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT " COLUMNS "WHERE a.trace_pk IN "));
	pk_list_append(traces, &b);
	sql_text(&b, SQL(" ORDER BY a.trace_pk, a.assessment_pk"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(traces);
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct assessment a;
		read_row(st, arena, &a);
		add(&lists[pk_list_seek(traces, db_column_i64(st, 1))->index], &a, arena);
	}
	return row == DB_DONE;
}

static void read_row(const struct db_statement *st, struct arena *arena, struct assessment *out)
{
	*out = (struct assessment){
		.pk = db_column_i64(st, 0),
		.trace_id = db_column_copy(st, 2, arena),
		.assessment_id = db_column_copy(st, 3, arena),
		.name = db_column_copy(st, 4, arena),
		.kind = kind_of(db_column_text(st, 5)),
		.value = db_column_copy(st, 6, arena),
		.is_serialized = db_column_i64(st, 7) != 0,
		.has_error = db_column_i64(st, 8) != 0,
		.error = {db_column_copy(st, 9, arena), db_column_copy(st, 10, arena),
			  db_column_copy(st, 11, arena)},
		.source_type = db_column_copy(st, 12, arena),
		.source_id = db_column_copy(st, 13, arena),
		.span_id = db_column_copy(st, 14, arena),
		.rationale = db_column_copy(st, 15, arena),
		.overrides = db_column_copy(st, 16, arena),
		.is_valid = db_column_i64(st, 17) != 0,
		.create_time_ms = db_column_i64(st, 18),
		.last_update_time_ms = db_column_i64(st, 19),
	};
}

static enum assessment_kind kind_of(struct slice name)
{
	enum assessment_kind kind = ASSESSMENT_FEEDBACK;
	while (kind < ASSESSMENT_ISSUE && !slice_eq_cstr(name, kind_names[kind]))
		kind++;
	return kind;
}

/* Lists grow by doubling. */
static void add(struct assessment_list *list, const struct assessment *a, struct arena *arena)
{
	if ((list->count & (list->count - 1)) == 0) {
		size_t capacity = list->count == 0 ? 1 : 2 * list->count;
		struct assessment *bigger = ARENA_NEW(arena, struct assessment, capacity);
		if (list->count > 0)
			memcpy(bigger, list->items, list->count * sizeof(*bigger));
		list->items = bigger;
	}
	list->items[list->count++] = *a;
}

/* Rows come in the order of the lists; those of assessments that are not in them are passed over. */
static bool load_metadata_of(struct db *db, struct pk_list *traces, struct arena *arena,
			     struct assessment_list *lists, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT a.trace_pk, m.assessment_pk, m.key, m.value"
			 " FROM assessments AS a"
			 " JOIN assessment_metadata AS m ON m.assessment_pk = a.assessment_pk"
			 " WHERE a.trace_pk IN "));
	pk_list_append(traces, &b);
	sql_text(&b, SQL(" ORDER BY a.trace_pk, a.assessment_pk, m.key"));
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(traces);
	size_t at = 0, index = SIZE_MAX;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(traces, db_column_i64(st, 0));
		const struct assessment_list *list = &lists[slot->index];
		int64_t pk = db_column_i64(st, 1);
		at = slot->index == index ? at : 0;
		index = slot->index;
		while (at < list->count && list->items[at].pk < pk)
			at++;
		if (at == list->count || list->items[at].pk != pk)
			continue;
		const struct key_value item = {db_column_copy(st, 2, arena),
					       db_column_copy(st, 3, arena)};
		key_values_add(&list->items[at].metadata, item, arena);
	}
	return row == DB_DONE;
}
