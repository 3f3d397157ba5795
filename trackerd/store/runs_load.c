/* Owns the reading of whole runs: one statement a table for each 500 of them. */
#include "store/runs_load.h"

#include "db/sql_builder.h"
#include "store/key_values.h"
#include "store/metrics.h"
#include "store/name_map.h"
#include "store/pk_list.h"

/* What one piece of the runs is loaded with. */
struct load {
	struct db *db;
	struct arena *arena;
	struct pk_list list;
	struct name_map names;
	struct run *runs; /* all of the caller's */
	/* Does any run of the piece have some? Most have none, and a statement that finds nothing costs more than
	 * all these lookups. */
	bool has_inputs, has_model_outputs;
};

typedef bool load_fn(struct load *load, struct error *err);

static bool load_pieces(struct db *db, const struct run_pk *run_pks, size_t count,
			load_fn *load_piece, struct arena *arena, struct run *runs,
			struct error *err);
static bool load_all(struct load *load, struct error *err);
static bool load_info(struct load *load, struct error *err);
static void read_info(const struct db_statement *st, struct arena *arena, struct run *run);
static bool load_key_values(struct load *load, struct sql sql, size_t list_offset,
			    struct error *err);
static bool read_key_value(struct load *load, const struct db_statement *st, size_t list_offset,
			   struct error *err);
static struct key_value_list *list_at(struct run *run, size_t list_offset);
static bool load_inputs(struct load *load, struct error *err);
static void add_input(struct dataset_input_list *list, const struct db_statement *st,
		      struct arena *arena);
static bool load_model_outputs(struct load *load, struct error *err);

bool runs_load(struct db *db, const struct run_pk *run_pks, size_t count, struct arena *arena,
	       struct run *runs_out, struct error *err)
{
	if (!load_pieces(db, run_pks, count, load_all, arena, runs_out, err))
		return false;
	if (count == 0)
		return true;
	struct metric_list *metrics = ARENA_NEW(arena, struct metric_list, count);
	if (!metrics_latest(db, run_pks, count, arena, metrics, err))
		return false;
	for (size_t i = 0; i < count; i++)
		runs_out[i].metrics = metrics[i];
	return true;
}

bool runs_load_info(struct db *db, const struct run_pk *run_pks, size_t count, struct arena *arena,
		    struct run *runs_out, struct error *err)
{
	return load_pieces(db, run_pks, count, load_info, arena, runs_out, err);
}

static bool load_pieces(struct db *db, const struct run_pk *run_pks, size_t count,
			load_fn *load_piece, struct arena *arena, struct run *runs,
			struct error *err)
{
	struct load load = {.db = db, .arena = arena, .runs = runs};
	name_map_init(&load.names, db, arena);
	for (size_t from = 0; from < count; from += PK_LIST_COUNT_MAX) {
		int64_t pks[PK_LIST_COUNT_MAX];
		size_t piece_count =
			count - from < PK_LIST_COUNT_MAX ? count - from : PK_LIST_COUNT_MAX;
		for (size_t i = 0; i < piece_count; i++)
			pks[i] = run_pks[from + i].value;
		pk_list_init(&load.list, pks, piece_count, from, arena);
		load.has_inputs = load.has_model_outputs = false;
		if (!load_piece(&load, err))
			return false;
	}
	return true;
}

static bool load_all(struct load *load, struct error *err)
{
	return load_info(load, err) &&
	       load_key_values(load,
			       SQL("SELECT run_pk, name_pk, value FROM params WHERE run_pk IN "),
			       offsetof(struct run, params), err) &&
	       load_key_values(load,
			       SQL("SELECT run_pk, name_pk, value FROM run_tags WHERE run_pk IN "),
			       offsetof(struct run, tags), err) &&
	       (!load->has_inputs || load_inputs(load, err)) &&
	       (!load->has_model_outputs || load_model_outputs(load, err));
}

static bool load_info(struct load *load, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, load->arena);
	sql_text(&b,
		 SQL("SELECT run_pk, run_id, experiment_id, name, user_id, status, artifact_uri,"
		     " start_time_ms, end_time_ms, is_deleted,"
		     " EXISTS (SELECT 1 FROM run_datasets AS d WHERE d.run_pk = r.run_pk),"
		     " EXISTS (SELECT 1 FROM run_model_outputs AS o WHERE o.run_pk = r.run_pk)"
		     " FROM runs AS r WHERE run_pk IN "));
	pk_list_append(&load->list, &b);
	sql_text(&b, SQL(" ORDER BY run_pk"));
	struct db_statement *st = db_prepare_built(load->db, &b, err);
	if (st == NULL)
		return false;
	size_t found_count = 0;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(&load->list, db_column_i64(st, 0));
		read_info(st, load->arena, &load->runs[slot->index]);
		load->has_inputs |= db_column_i64(st, 10) != 0;
		load->has_model_outputs |= db_column_i64(st, 11) != 0;
		found_count++;
	}
	if (row == DB_FAILED)
		return false;
	/* The caller found these row numbers in the same snapshot. */
	if (found_count != load->list.count)
		return error_set(err, ERR_INTERNAL_ERROR, "A run vanished while it was read.");
	return true;
}

static void read_info(const struct db_statement *st, struct arena *arena, struct run *run)
{
	*run = (struct run){
		.pk = {db_column_i64(st, 0)},
		.run_id = db_column_copy(st, 1, arena),
		.experiment_id = db_column_i64(st, 2),
		.name = db_column_copy(st, 3, arena),
		.user_id = db_column_copy(st, 4, arena),
		.status = db_column_copy(st, 5, arena),
		.artifact_uri = db_column_copy(st, 6, arena),
		.start_time_ms = db_column_i64(st, 7),
		.has_end_time = !db_column_is_null(st, 8),
		.end_time_ms = db_column_i64(st, 8),
		.is_deleted = db_column_i64(st, 9) != 0,
	};
}

/* Fills the key_value_list at `list_offset` of each run from rows (run_pk, name_pk, value). */
static bool load_key_values(struct load *load, struct sql sql, size_t list_offset,
			    struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, load->arena);
	sql_text(&b, sql);
	pk_list_append(&load->list, &b);
	sql_text(&b, SQL(" ORDER BY run_pk"));
	struct db_statement *st = db_prepare_built(load->db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(&load->list);
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		if (!read_key_value(load, st, list_offset, err)) {
			db_reset(st);
			return false;
		}
	}
	if (row == DB_FAILED)
		return false;
	for (size_t i = 0; i < load->list.count; i++)
		key_values_sort_in_place(
			*list_at(&load->runs[load->list.slots[i].index], list_offset));
	return true;
}

static bool read_key_value(struct load *load, const struct db_statement *st, size_t list_offset,
			   struct error *err)
{
	const struct pk_slot *slot = pk_list_seek(&load->list, db_column_i64(st, 0));
	struct key_value item;
	if (!name_map_get(&load->names, (struct name_pk){db_column_i64(st, 1)}, &item.key, err))
		return false;
	item.value = db_column_copy(st, 2, load->arena);
	key_values_add(list_at(&load->runs[slot->index], list_offset), item, load->arena);
	return true;
}

static struct key_value_list *list_at(struct run *run, size_t list_offset)
{
	return (void *)((char *)run + list_offset);
}

static bool load_inputs(struct load *load, struct error *err)
{
	struct arena *arena = load->arena;
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b,
		 SQL("SELECT r.run_pk, r.dataset_pk, d.name, d.digest, d.source_type, d.source, "
		     "d.schema,"
		     " d.profile, t.key, t.value FROM run_datasets AS r"
		     " JOIN datasets AS d ON d.dataset_pk = r.dataset_pk"
		     " LEFT JOIN run_dataset_tags AS t"
		     " ON t.run_pk = r.run_pk AND t.dataset_pk = r.dataset_pk WHERE r.run_pk IN "));
	pk_list_append(&load->list, &b);
	sql_text(&b, SQL(" ORDER BY r.run_pk, r.dataset_pk, t.key"));
	struct db_statement *st = db_prepare_built(load->db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(&load->list);
	/* One row a tag, or one row for a dataset without tags. */
	int64_t run_pk = -1, dataset_pk = -1;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct dataset_input_list *inputs =
			&load->runs[pk_list_seek(&load->list, db_column_i64(st, 0))->index].inputs;
		if (db_column_i64(st, 0) != run_pk || db_column_i64(st, 1) != dataset_pk)
			add_input(inputs, st, arena);
		run_pk = db_column_i64(st, 0);
		dataset_pk = db_column_i64(st, 1);
		if (db_column_is_null(st, 8))
			continue;
		struct key_value tag = {db_column_copy(st, 8, arena), db_column_copy(st, 9, arena)};
		key_values_add(&inputs->items[inputs->count - 1].tags, tag, arena);
	}
	return row == DB_DONE;
}

static void add_input(struct dataset_input_list *list, const struct db_statement *st,
		      struct arena *arena)
{
	list->items = arena_list_room(arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct dataset_input){
		.name = db_column_copy(st, 2, arena),
		.digest = db_column_copy(st, 3, arena),
		.source_type = db_column_copy(st, 4, arena),
		.source = db_column_copy(st, 5, arena),
		.schema = db_column_copy(st, 6, arena),
		.profile = db_column_copy(st, 7, arena),
	};
}

static bool load_model_outputs(struct load *load, struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, load->arena);
	sql_text(&b, SQL("SELECT run_pk, model_id, step FROM run_model_outputs WHERE run_pk IN "));
	pk_list_append(&load->list, &b);
	sql_text(&b, SQL(" ORDER BY run_pk, model_id"));
	struct db_statement *st = db_prepare_built(load->db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(&load->list);
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(&load->list, db_column_i64(st, 0));
		struct model_output_list *outputs = &load->runs[slot->index].model_outputs;
		outputs->items = arena_list_room(load->arena, outputs->items, outputs->count,
						 sizeof(*outputs->items));
		outputs->items[outputs->count++] = (struct model_output){
			.model_id = db_column_copy(st, 1, load->arena),
			.step = db_column_i64(st, 2),
		};
	}
	return row == DB_DONE;
}
