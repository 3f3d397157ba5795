/* Owns the rows of parameters, and the rule that they never change. */
#include "store/params.h"

#include "store/names.h"

enum {
	KEY_QUOTED_BYTES_MAX = 260,	/* of one key in a message */
	VALUE_QUOTED_BYTES_MAX = 160,	/* of one value in a message */
	CONFLICTS_TEXT_BYTES_MAX = 700, /* leaves room for the rest of the sentence */
};

struct param_conflict {
	struct slice old_value_or_absent; /* absent: no conflict */
};

static bool insert_param(struct db *db, struct run_pk run_pk, const struct key_value *param,
			 struct arena *arena, struct param_conflict *out, struct error *err);
static bool read_other_value(struct db *db, struct run_pk run_pk, struct name_pk name_pk,
			     struct slice value, struct arena *arena, struct param_conflict *out,
			     struct error *err);
static struct slice append_conflict(struct slice list, const struct key_value *param,
				    struct slice old_value, struct arena *arena);

bool param_log_in_txn(struct db *db, struct run_pk run_pk, struct slice run_id,
		      const struct key_value *param, struct arena *arena, struct error *err)
{
	struct param_conflict conflict;
	if (!insert_param(db, run_pk, param, arena, &conflict, err))
		return false;
	if (!slice_is_present(conflict.old_value_or_absent))
		return true;
	char key_quoted[KEY_QUOTED_BYTES_MAX];
	char old_quoted[VALUE_QUOTED_BYTES_MAX], new_quoted[VALUE_QUOTED_BYTES_MAX];
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Param with key='%s' was already logged with"
		" value='%s' for run ID='%.*s'. Attempted logging new value '%s'.",
		error_quote(param->key, key_quoted, sizeof(key_quoted)),
		error_quote(conflict.old_value_or_absent, old_quoted, sizeof(old_quoted)),
		SLICE_FMT(run_id), error_quote(param->value, new_quoted, sizeof(new_quoted)));
}

bool params_log_in_txn(struct db *db, struct run_pk run_pk, struct slice run_id,
		       struct key_value_list params, struct arena *arena, struct error *err)
{
	struct slice conflicts = {0};
	for (size_t i = 0; i < params.count; i++) {
		struct param_conflict conflict;
		if (!insert_param(db, run_pk, &params.items[i], arena, &conflict, err))
			return false;
		if (slice_is_present(conflict.old_value_or_absent)) {
			conflicts = append_conflict(conflicts, &params.items[i],
						    conflict.old_value_or_absent, arena);
		}
	}
	if (conflicts.len == 0)
		return true;
	return error_set(
		err, ERR_INVALID_PARAMETER_VALUE,
		"Changing param values is not allowed. Params were already logged='[%.*s]' for run"
		" ID='%.*s'.",
		SLICE_FMT(conflicts), SLICE_FMT(run_id));
}

/* Writes the parameter unless it is there; *out says with which other value. */
static bool insert_param(struct db *db, struct run_pk run_pk, const struct key_value *param,
			 struct arena *arena, struct param_conflict *out, struct error *err)
{
	struct name_pk name_pk;
	if (!names_intern_in_txn(db, param->key, &name_pk, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO params (run_pk, name_pk, value) VALUES ($1, $2, $3)"
			       " ON CONFLICT (run_pk, name_pk) DO NOTHING"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, name_pk.value);
	db_bind_text(st, 3, param->value);
	if (!db_run(st, err))
		return false;
	*out = (struct param_conflict){0};
	if (db_changes(db) > 0)
		return true;
	return read_other_value(db, run_pk, name_pk, param->value, arena, out, err);
}

static bool read_other_value(struct db *db, struct run_pk run_pk, struct name_pk name_pk,
			     struct slice value, struct arena *arena, struct param_conflict *out,
			     struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT value FROM params WHERE run_pk = $1 AND name_pk = $2 AND value <> $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, run_pk.value);
	db_bind_i64(st, 2, name_pk.value);
	db_bind_text(st, 3, value);
	bool found = false;
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found)
		out->old_value_or_absent = db_column_copy(st, 0, arena);
	db_reset(st);
	return true;
}

/* The list with one more "{'key': 'k', 'old_value': 'a', 'new_value': 'b'}", or as it is when it is
 * full. */
static struct slice append_conflict(struct slice list, const struct key_value *param,
				    struct slice old_value, struct arena *arena)
{
	char key_quoted[KEY_QUOTED_BYTES_MAX];
	char old_quoted[VALUE_QUOTED_BYTES_MAX], new_quoted[VALUE_QUOTED_BYTES_MAX];
	struct slice item = arena_printf(
		arena, "%s{'key': '%s', 'old_value': '%s', 'new_value': '%s'}",
		list.len == 0 ? "" : ", ", error_quote(param->key, key_quoted, sizeof(key_quoted)),
		error_quote(old_value, old_quoted, sizeof(old_quoted)),
		error_quote(param->value, new_quoted, sizeof(new_quoted)));
	if (slice_ends_with(list, SLICE(", …")))
		return list;
	if (list.len + item.len > CONFLICTS_TEXT_BYTES_MAX)
		return list.len == 0 ? item : arena_concat(arena, list, SLICE(", …"));
	return arena_concat(arena, list, item);
}
