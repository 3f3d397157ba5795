/* Owns the rows that link runs to the logged models they took in or made. */
#include "store/run_models.h"

bool run_model_inputs_log_in_txn(struct db *db, struct run_pk run_pk,
				 struct model_input_list inputs, struct error *err)
{
	for (size_t i = 0; i < inputs.count; i++) {
		struct db_statement *st =
			db_prepare(db,
				   SQL("INSERT INTO run_model_inputs (run_pk, model_id)"
				       " VALUES ($1, $2) ON CONFLICT DO NOTHING"),
				   err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, run_pk.value);
		db_bind_text(st, 2, inputs.items[i]);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

bool run_model_outputs_log_in_txn(struct db *db, struct run_pk run_pk,
				  struct model_output_list outputs, struct error *err)
{
	for (size_t i = 0; i < outputs.count; i++) {
		struct db_statement *st =
			db_prepare(db,
				   SQL("INSERT INTO run_model_outputs (run_pk, model_id, step)"
				       " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"),
				   err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, run_pk.value);
		db_bind_text(st, 2, outputs.items[i].model_id);
		db_bind_i64(st, 3, outputs.items[i].step);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

bool run_model_inputs_load(struct db *db, struct run_pk run_pk, struct arena *arena,
			   struct model_input_list *out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT model_id FROM run_model_inputs WHERE run_pk = $1 ORDER BY model_id"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	struct model_input_list list = {0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = db_column_copy(st, 0, arena);
	}
	if (row == DB_FAILED)
		return false;
	*out = list;
	return true;
}
