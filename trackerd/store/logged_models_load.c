/* Owns the reading of whole logged models: one statement a table for each 500 of them. */
#include "store/logged_models_load.h"

#include <stdlib.h>

#include "db/sql_builder.h"
#include "search/search_table.h"
#include "store/key_values.h"
#include "store/logged_models.h"
#include "store/metric_series.h"
#include "store/name_map.h"
#include "store/pk_list.h"

/* What one piece of the models is loaded with. */
struct load {
	struct db *db;
	struct arena *arena;
	struct pk_list list;
	struct name_map names;
	struct logged_model *models; /* all of the caller's */
};

typedef bool read_row_fn(struct load *load, const struct db_statement *st,
			 struct logged_model *model, struct error *err);

/* Which rows belong to the models, and what becomes of each. The first column is logged_model_pk. */
struct table {
	struct sql select; /* up to "… IN " */
	struct sql order;
	read_row_fn *read_row;
};

static bool load_piece(struct load *load, struct error *err);
static bool load_table(struct load *load, const struct table *table, size_t *count_out,
		       struct error *err);
static read_row_fn read_info, read_tag, read_param, read_metric, read_registration;
static int compare_metrics(const void *a, const void *b);

// clang-format off
static const struct table info_table = {
	SQL_LITERAL("SELECT logged_model_pk, model_id, experiment_id, name, artifact_uri, model_type, source_run_id,"
		    " status, status_message, creation_time_ms, last_updated_time_ms, is_deleted"
		    " FROM logged_models WHERE logged_model_pk IN "),
	SQL_LITERAL(" ORDER BY logged_model_pk"),
	read_info,
};
static const struct table other_tables[] = {
	{SQL_LITERAL("SELECT logged_model_pk, key, value FROM logged_model_tags WHERE logged_model_pk IN "),
	 SQL_LITERAL(" ORDER BY logged_model_pk, key"),
	 read_tag},
	{SQL_LITERAL("SELECT logged_model_pk, key, value FROM logged_model_params WHERE logged_model_pk IN "),
	 SQL_LITERAL(" ORDER BY logged_model_pk, key"),
	 read_param},
	{SQL_LITERAL("SELECT p.logged_model_pk, p.name_pk, p.value, p.timestamp_ms, p.step, r.run_id, p.dataset_name,"
		     " p.dataset_digest FROM logged_model_metrics AS p JOIN runs AS r ON r.run_pk = p.run_pk"
		     " WHERE p.logged_model_pk IN "),
	 SQL_LITERAL(" ORDER BY p.logged_model_pk"),
	 read_metric},
	{SQL_LITERAL("SELECT l.logged_model_pk, m.name, v.version FROM logged_models AS l"
		     " JOIN model_versions AS v ON v.model_id = l.model_id"
		     " JOIN registered_models AS m ON m.model_pk = v.model_pk"
		     " WHERE v.model_id <> '' AND l.logged_model_pk IN "),
	 SQL_LITERAL(" ORDER BY l.logged_model_pk, m.name, v.version"),
	 read_registration},
};
// clang-format on

bool logged_models_load(struct db *db, const int64_t *pks, size_t count, struct arena *arena,
			struct logged_model *models_out, struct error *err)
{
	struct load load = {.db = db, .arena = arena, .models = models_out};
	name_map_init(&load.names, db, arena);
	for (size_t from = 0; from < count; from += PK_LIST_COUNT_MAX) {
		size_t left = count - from;
		size_t piece_count = left < PK_LIST_COUNT_MAX ? left : PK_LIST_COUNT_MAX;
		pk_list_init(&load.list, pks + from, piece_count, from, arena);
		if (!load_piece(&load, err))
			return false;
	}
	return true;
}

bool logged_model_load(struct db *db, struct slice model_id, bool allow_deleted,
		       struct arena *arena, struct logged_model *out, struct error *err)
{
	struct logged_model_pk pk;
	return logged_model_find(db, model_id, allow_deleted, &pk, err) &&
	       logged_models_load(db, &pk.value, 1, arena, out, err);
}

static bool load_piece(struct load *load, struct error *err)
{
	size_t found_count = 0;
	if (!load_table(load, &info_table, &found_count, err))
		return false;
	if (found_count != load->list.count)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "A logged model vanished while it was read.");
	for (size_t i = 0; i < ARRAY_COUNT(other_tables); i++) {
		if (!load_table(load, &other_tables[i], &found_count, err))
			return false;
	}
	for (size_t i = 0; i < load->list.count; i++) {
		const struct logged_model_metric_list *metrics =
			&load->models[load->list.slots[i].index].metrics;
		if (metrics->count > 1)
			qsort(metrics->items, metrics->count, sizeof(metrics->items[0]),
			      compare_metrics);
	}
	return true;
}

static bool load_table(struct load *load, const struct table *table, size_t *count_out,
		       struct error *err)
{
	struct sql_builder b;
	sql_builder_init(&b, load->arena);
	sql_text(&b, table->select);
	pk_list_append(&load->list, &b);
	sql_text(&b, table->order);
	struct db_statement *st = db_prepare_built(load->db, &b, err);
	if (st == NULL)
		return false;
	pk_list_rewind(&load->list);
	size_t count = 0;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct pk_slot *slot = pk_list_seek(&load->list, db_column_i64(st, 0));
		if (!table->read_row(load, st, &load->models[slot->index], err)) {
			db_reset(st);
			return false;
		}
		count++;
	}
	*count_out = count;
	return row == DB_DONE;
}

static bool read_info(struct load *load, const struct db_statement *st, struct logged_model *model,
		      struct error *err)
{
	struct arena *arena = load->arena;
	(void)err;
	*model = (struct logged_model){
		.pk = {db_column_i64(st, 0)},
		.model_id = db_column_copy(st, 1, arena),
		.experiment_id = db_column_i64(st, 2),
		.name = db_column_copy(st, 3, arena),
		.artifact_uri = db_column_copy(st, 4, arena),
		.model_type = db_column_copy(st, 5, arena),
		.source_run_id = db_column_copy(st, 6, arena),
		.status = logged_model_status_from_text(db_column_text(st, 7)),
		.status_message = db_column_copy(st, 8, arena),
		.creation_time_ms = db_column_i64(st, 9),
		.last_updated_time_ms = db_column_i64(st, 10),
		.is_deleted = db_column_i64(st, 11) != 0,
	};
	return true;
}

static void add_key_value(struct load *load, const struct db_statement *st,
			  struct key_value_list *list)
{
	struct key_value item = {db_column_copy(st, 1, load->arena),
				 db_column_copy(st, 2, load->arena)};
	key_values_add(list, item, load->arena);
}

static bool read_tag(struct load *load, const struct db_statement *st, struct logged_model *model,
		     struct error *err)
{
	(void)err;
	add_key_value(load, st, &model->tags);
	return true;
}

static bool read_param(struct load *load, const struct db_statement *st, struct logged_model *model,
		       struct error *err)
{
	(void)err;
	add_key_value(load, st, &model->params);
	return true;
}

static bool read_metric(struct load *load, const struct db_statement *st,
			struct logged_model *model, struct error *err)
{
	struct logged_model_metric_list *list = &model->metrics;
	struct logged_model_metric metric = {
		.point = {.value = metric_value_column(st, 2),
			  .timestamp_ms = db_column_i64(st, 3),
			  .step = db_column_i64(st, 4)},
		.run_id = db_column_copy(st, 5, load->arena),
		.dataset_name = db_column_copy(st, 6, load->arena),
		.dataset_digest = db_column_copy(st, 7, load->arena),
	};
	struct name_pk name_pk = {db_column_i64(st, 1)};
	if (!name_map_get(&load->names, name_pk, &metric.point.key, err))
		return false;
	list->items = arena_list_room(load->arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = metric;
	return true;
}

static bool read_registration(struct load *load, const struct db_statement *st,
			      struct logged_model *model, struct error *err)
{
	struct logged_model_registration_list *list = &model->registrations;
	(void)err;
	list->items = arena_list_room(load->arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct logged_model_registration){
		db_column_copy(st, 1, load->arena), db_column_i64(st, 2)};
	return true;
}

static int compare_i64(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_metrics(const void *a, const void *b)
{
	const struct logged_model_metric *left = a, *right = b;
	int order = slice_compare(left->point.key, right->point.key);
	if (order == 0)
		order = compare_i64(left->point.timestamp_ms, right->point.timestamp_ms);
	if (order == 0)
		order = compare_i64(left->point.step, right->point.step);
	return order != 0 ? order : slice_compare(left->run_id, right->run_id);
}
