/* Owns the reading of which datasets experiments used. */
#include "store/dataset_summaries.h"

#include "store/search_page.h"

bool dataset_summaries_load(struct db *db, const int64_t *experiment_ids, size_t experiment_count,
			    size_t count_max, struct arena *arena, struct dataset_summary_list *out,
			    struct error *err)
{
	struct dataset_summary_list list = {0};
	struct sql_builder b;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT DISTINCT d.experiment_id, d.name, d.digest, t.value"
			 " FROM datasets AS d JOIN run_datasets AS r ON r.dataset_pk = d.dataset_pk"
			 " LEFT JOIN run_dataset_tags AS t ON t.run_pk = r.run_pk"
			 " AND t.dataset_pk = r.dataset_pk AND t.key = 'mlflow.data.context'"
			 " WHERE d.experiment_id "));
	search_page_experiments_sql(experiment_ids, experiment_count, &b);
	sql_text(&b, SQL(" ORDER BY d.experiment_id, d.name, d.digest, t.value LIMIT "));
	sql_value_i64(&b, (int64_t)count_max);
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = (struct dataset_summary){
			.experiment_id = db_column_i64(st, 0),
			.name = db_column_copy(st, 1, arena),
			.digest = db_column_copy(st, 2, arena),
			.context = db_column_copy(st, 3, arena),
		};
	}
	if (row == DB_FAILED)
		return false;
	*out = list;
	return true;
}
