/* Owns the rows of model_requirements and model_protected_aliases. */
#include "store/model_rules.h"

#include "json/json_reader.h"
#include "limits.h"

/* Of rules as JSON: a byte of a requirement or alias may become six. */
enum {
	RULES_JSON_BYTES_MAX = 6 * (REQUIREMENTS_MAX * REQUIREMENT_BYTES_MAX +
				    PROTECTED_ALIASES_MAX * ALIAS_LENGTH_MAX) +
			       1024
};

/* ---- reading ------------------------------------------------------------------------------------ */

/* All rows (text) of a bound statement. */
static bool read_texts(struct db_statement *st, struct arena *arena, struct slice **items_out,
		       size_t *count_out, struct error *err)
{
	struct slice *items = NULL;
	size_t count = 0;
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		items = arena_list_room(arena, items, count, sizeof(*items));
		items[count++] = db_column_copy(st, 0, arena);
	}
	*items_out = items;
	*count_out = count;
	return row == DB_DONE;
}

bool model_rules_load(struct db *db, struct model_pk pk, struct arena *arena,
		      struct model_rules *out, struct error *err)
{
	struct model_rules rules = {0};
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT requirement FROM model_requirements WHERE model_pk = $1"
			       " ORDER BY position"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!read_texts(st, arena, &rules.requirements, &rules.requirement_count, err))
		return false;
	st = db_prepare(
		db,
		SQL("SELECT alias FROM model_protected_aliases WHERE model_pk = $1 ORDER BY alias"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!read_texts(st, arena, &rules.protected_aliases, &rules.protected_count, err))
		return false;
	*out = rules;
	return true;
}

bool model_alias_is_protected(struct db *db, struct model_pk pk, struct slice alias,
			      bool *is_protected_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT 1 FROM model_protected_aliases WHERE model_pk = $1 AND alias = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, alias);
	if (!db_fetch_one(st, is_protected_out, err))
		return false;
	db_reset(st);
	return true;
}

bool model_protected_alias_of(struct db *db, struct model_pk pk, int64_t version,
			      struct arena *arena, struct model_alias *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT a.alias, a.version FROM model_protected_aliases AS p"
		    " JOIN model_aliases AS a ON a.model_pk = p.model_pk AND a.alias = p.alias"
		    " WHERE p.model_pk = $1 AND ($2 = 0 OR a.version = $2) ORDER BY a.alias LIMIT "
		    "1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = (struct model_alias){{NULL, 0}, 0};
	if (found)
		*out = (struct model_alias){db_column_copy(st, 0, arena), db_column_i64(st, 1)};
	db_reset(st);
	return true;
}

/* ---- changing ----------------------------------------------------------------------------------- */

static bool remove_all(struct db *db, struct model_pk pk, struct sql sql, struct error *err)
{
	struct db_statement *st = db_prepare(db, sql, err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	return db_run(st, err);
}

static bool add_requirement(struct db *db, struct model_pk pk, size_t position,
			    struct slice requirement, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO model_requirements (model_pk, position, requirement)"
			       " VALUES ($1, $2, $3)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, (int64_t)position);
	db_bind_text(st, 3, requirement);
	return db_run(st, err);
}

static bool add_protected(struct db *db, struct model_pk pk, struct slice alias, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("INSERT INTO model_protected_aliases (model_pk, alias) VALUES ($1, $2)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, alias);
	return db_run(st, err);
}

bool model_rules_put_in_txn(struct db *db, struct model_pk pk, const struct model_rules *rules,
			    struct error *err)
{
	if (!remove_all(db, pk, SQL("DELETE FROM model_requirements WHERE model_pk = $1"), err) ||
	    !remove_all(db, pk, SQL("DELETE FROM model_protected_aliases WHERE model_pk = $1"),
			err))
		return false;
	for (size_t i = 0; i < rules->requirement_count; i++) {
		if (!add_requirement(db, pk, i, rules->requirements[i], err))
			return false;
	}
	for (size_t i = 0; i < rules->protected_count; i++) {
		if (!add_protected(db, pk, rules->protected_aliases[i], err))
			return false;
	}
	return true;
}

/* ---- as JSON ------------------------------------------------------------------------------------ */

static void put_texts(struct json_writer *w, const char *name, const struct slice *items,
		      size_t count)
{
	json_key(w, name);
	json_array_begin(w);
	for (size_t i = 0; i < count; i++)
		json_string(w, items[i]);
	json_array_end(w);
}

void model_rules_json_members(struct json_writer *w, const struct model_rules *rules)
{
	put_texts(w, "requirements", rules->requirements, rules->requirement_count);
	put_texts(w, "protected_aliases", rules->protected_aliases, rules->protected_count);
}

struct slice model_rules_json(const struct model_rules *rules, struct arena *arena)
{
	struct buffer text;
	struct json_writer w;
	buffer_init_in_arena(&text, arena, RULES_JSON_BYTES_MAX);
	json_writer_init(&w, &text);
	json_object_begin(&w);
	model_rules_json_members(&w, rules);
	json_object_end(&w);
	return buffer_slice(&text);
}

static void read_list(struct json_node list, struct arena *arena, struct slice **items_out,
		      size_t *count_out)
{
	size_t capacity = json_node_count(list), count = 0;
	struct slice *items = ARENA_NEW(arena, struct slice, capacity + 1);
	struct json_node item = json_node_first(list);
	for (; count < capacity; item = json_node_next(item))
		items[count++] = slice_or_empty(json_node_string(item));
	*items_out = items;
	*count_out = count;
}

bool model_rules_read_json(struct slice json_or_absent, struct arena *arena,
			   struct model_rules *out, struct error *err)
{
	struct json_node root;
	*out = (struct model_rules){0};
	if (!slice_is_present(json_or_absent))
		return true;
	if (!json_read(json_or_absent, arena, &root, err))
		return false;
	read_list(json_node_member(root, SLICE("requirements")), arena, &out->requirements,
		  &out->requirement_count);
	read_list(json_node_member(root, SLICE("protected_aliases")), arena,
		  &out->protected_aliases, &out->protected_count);
	return true;
}
