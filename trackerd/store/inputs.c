/* Owns the rows of datasets and of their links to runs. */
#include "store/inputs.h"

#include "store/key_values.h"

struct dataset_pk {
	int64_t value;
};

static bool intern_dataset(struct db *db, int64_t experiment_id, const struct dataset_input *input,
			   struct dataset_pk *out, struct error *err);
static bool find_dataset(struct db *db, int64_t experiment_id, const struct dataset_input *input,
			 struct dataset_pk *out, struct error *err);
static bool link_dataset(struct db *db, struct run_pk run_pk, struct dataset_pk dataset_pk,
			 bool *linked_out, struct error *err);
static bool insert_tags(struct db *db, struct run_pk run_pk, struct dataset_pk dataset_pk,
			struct key_value_list tags, struct arena *arena, struct error *err);

bool inputs_log_in_txn(struct db *db, struct run_pk run_pk, int64_t experiment_id,
		       struct dataset_input_list inputs, struct arena *arena, struct error *err)
{
	for (size_t i = 0; i < inputs.count; i++) {
		const struct dataset_input *input = &inputs.items[i];
		struct dataset_pk dataset_pk;
		if (!intern_dataset(db, experiment_id, input, &dataset_pk, err))
			return false;
		bool linked = false;
		if (!link_dataset(db, run_pk, dataset_pk, &linked, err))
			return false;
		if (linked && !insert_tags(db, run_pk, dataset_pk, input->tags, arena, err))
			return false;
	}
	return true;
}

static bool intern_dataset(struct db *db, int64_t experiment_id, const struct dataset_input *input,
			   struct dataset_pk *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO datasets (experiment_id, name, digest, source_type, "
			       "source, schema,"
			       " profile) VALUES ($1, $2, $3, $4, $5, $6, $7)"
			       " ON CONFLICT (experiment_id, name, digest) DO NOTHING"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	db_bind_text(st, 2, input->name);
	db_bind_text(st, 3, input->digest);
	db_bind_text(st, 4, input->source_type);
	db_bind_text(st, 5, input->source);
	db_bind_text(st, 6, input->schema);
	db_bind_text(st, 7, input->profile);
	return db_run(st, err) && find_dataset(db, experiment_id, input, out, err);
}

static bool find_dataset(struct db *db, int64_t experiment_id, const struct dataset_input *input,
			 struct dataset_pk *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT dataset_pk FROM datasets"
			       " WHERE experiment_id = $1 AND name = $2 AND digest = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, experiment_id);
	db_bind_text(st, 2, input->name);
	db_bind_text(st, 3, input->digest);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	ASSERT(found);
	out->value = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool link_dataset(struct db *db, struct run_pk run_pk, struct dataset_pk dataset_pk,
			 bool *linked_out, struct error *err)
{
	struct db_statement *st = db_prepare(db,
					     SQL("INSERT INTO run_datasets (run_pk, dataset_pk) "
						 "VALUES ($1, $2) ON CONFLICT DO NOTHING"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, dataset_pk.value);
	if (!db_run(st, err))
		return false;
	*linked_out = db_changes(db) > 0;
	return true;
}

static bool insert_tags(struct db *db, struct run_pk run_pk, struct dataset_pk dataset_pk,
			struct key_value_list tags, struct arena *arena, struct error *err)
{
	struct key_value_list sorted = key_values_sorted_unique(tags, arena);
	for (size_t i = 0; i < sorted.count; i++) {
		struct db_statement *st = db_prepare(
			db,
			SQL("INSERT INTO run_dataset_tags (run_pk, dataset_pk, key, value)"
			    " VALUES ($1, $2, $3, $4)"),
			err);
		if (st == NULL)
			return false;
		db_bind_i64(st, 1, run_pk.value);
		db_bind_i64(st, 2, dataset_pk.value);
		db_bind_text(st, 3, sorted.items[i].key);
		db_bind_text(st, 4, sorted.items[i].value);
		if (!db_run(st, err))
			return false;
	}
	return true;
}
