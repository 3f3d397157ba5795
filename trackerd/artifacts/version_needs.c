/* Owns the question which model versions need something that is about to go away. */
#include "artifacts/version_needs.h"

#include "artifacts/artifact_path.h"
#include "db/sql_builder.h"
#include "search/search_table.h"

/* Versions of one kind; for deleted ones the moment follows. */
struct asked {
	struct sql begin; /* which versions: those in … */
	struct sql part;  /* … a table that a condition follows on */
	struct sql end;
};
static const struct asked asked_of_versions = {
	SQL_LITERAL("SELECT v.model_pk, m.name, v.version, v.artifact_path"
		    " FROM model_versions AS v"
		    " JOIN registered_models AS m ON m.model_pk = v.model_pk"
		    " WHERE (v.model_pk, v.version) IN ("),
	SQL_LITERAL("SELECT model_pk, version FROM model_versions WHERE "),
	SQL_LITERAL(") ORDER BY NOT EXISTS (SELECT 1 FROM model_aliases AS a"
		    " WHERE a.model_pk = v.model_pk AND a.version = v.version),"
		    " m.name, v.version"),
};
static const struct asked asked_of_deleted = {
	SQL_LITERAL("SELECT 0, model, version, artifact_path FROM deleted_versions"
		    " WHERE (model_seq, version) IN ("),
	SQL_LITERAL("SELECT model_seq, version FROM deleted_versions WHERE "),
	SQL_LITERAL(") AND deleted_ms > "),
};

/* A statement that grows by one way to find versions at a time. */
struct question {
	const struct asked *asked;
	struct sql_builder sql;
	bool has_parts;
};

static void begin(struct question *q, const struct asked *asked, struct arena *arena)
{
	sql_builder_init(&q->sql, arena);
	q->asked = asked;
	q->has_parts = false;
	sql_text(&q->sql, asked->begin);
}

/* The next way to find them: what follows is a condition on versions. */
static struct sql_builder *add(struct question *q)
{
	if (q->has_parts)
		sql_text(&q->sql, SQL(" UNION "));
	q->has_parts = true;
	sql_text(&q->sql, q->asked->part);
	return &q->sql;
}

static void add_equal(struct question *q, struct sql condition, struct slice value)
{
	struct sql_builder *b = add(q);
	sql_text(b, condition);
	sql_value_text(b, value);
}

static void add_at_or_below(struct question *q, struct slice path, struct arena *arena)
{
	add_equal(q, SQL("artifact_path = "), path);
	struct sql_builder *b = add(q);
	sql_text(b, SQL("artifact_path > "));
	sql_value_text(b, arena_concat(arena, path, SLICE("/")));
	sql_text(b, SQL(" AND artifact_path < ")); /* '0' is what follows '/' */
	sql_value_text(b, arena_concat(arena, path, SLICE("0")));
}

/* Versions that have all of a directory that `path` lies in. */
static void add_above(struct question *q, struct slice path)
{
	for (path = artifact_path_directory(path); path.len > 0;
	     path = artifact_path_directory(path))
		add_equal(q, SQL("artifact_path = "), path);
}

static void add_experiment(struct question *q, int64_t experiment_id)
{
	struct sql_builder *b = add(q);
	sql_text(b,
		 SQL("run_id <> '' AND run_id IN (SELECT run_id FROM runs WHERE experiment_id = "));
	sql_value_i64(b, experiment_id);
	sql_text(b, SQL(")"));
	b = add(q);
	sql_text(b, SQL("model_id <> '' AND model_id IN (SELECT model_id FROM logged_models WHERE "
			"experiment_id = "));
	sql_value_i64(b, experiment_id);
	sql_text(b, SQL(")"));
}

static bool answer(struct question *q, struct db *tracker, struct needing_version_list *out,
		   struct error *err)
{
	struct needing_version_list list = {0};
	enum db_row row;
	struct db_statement *st = db_prepare_built(tracker, &q->sql, err);
	if (st == NULL)
		return false;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items =
			arena_list_room(q->sql.arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = (struct needing_version){
			.model_pk = db_column_i64(st, 0),
			.model = db_column_copy(st, 1, q->sql.arena),
			.version = db_column_i64(st, 2),
			.artifact_path = db_column_copy(st, 3, q->sql.arena),
		};
	}
	if (row == DB_FAILED)
		return false;
	*out = list;
	return true;
}

/* Adds those whose files are in the folder of this URI; files that others keep are not looked for. */
static void add_in_folder(struct question *q, struct slice uri, struct arena *arena)
{
	struct error elsewhere;
	struct slice path;
	if (artifact_path_from_uri(uri, arena, &path, &elsewhere) && path.len > 0)
		add_at_or_below(q, path, arena);
}

/* The statement gives the folder of what $1 names. */
static bool add_by_folder(struct question *q, struct db *tracker, struct sql sql,
			  const struct needed *needed, struct error *err)
{
	struct arena *arena = q->sql.arena;
	struct db_statement *st = db_prepare(tracker, sql, err);
	bool found;
	if (st == NULL)
		return false;
	if (needed->kind == NEEDED_EXPERIMENT)
		db_bind_i64(st, 1, needed->experiment_id);
	else
		db_bind_text(st, 1, needed->id_or_path);
	if (!db_fetch_one(st, &found, err))
		return false;
	struct slice uri = found ? db_column_copy(st, 0, arena) : SLICE("");
	db_reset(st);
	add_in_folder(q, uri, arena);
	return true;
}

static bool add_all(struct question *q, struct db *tracker, const struct needed *needed,
		    struct error *err)
{
	switch (needed->kind) {
	case NEEDED_RUN:
		add_equal(q, SQL("run_id <> '' AND run_id = "), needed->id_or_path);
		return add_by_folder(q, tracker,
				     SQL("SELECT artifact_uri FROM runs WHERE run_id = $1"), needed,
				     err);
	case NEEDED_LOGGED_MODEL:
		add_equal(q, SQL("model_id <> '' AND model_id = "), needed->id_or_path);
		return add_by_folder(
			q, tracker,
			SQL("SELECT artifact_uri FROM logged_models WHERE model_id = $1"), needed,
			err);
	case NEEDED_EXPERIMENT:
		add_experiment(q, needed->experiment_id);
		return add_by_folder(
			q, tracker,
			SQL("SELECT artifact_location FROM experiments WHERE experiment_id = $1"),
			needed, err);
	case NEEDED_PATH:
		ASSERT(needed->id_or_path.len > 0);
		add_at_or_below(q, needed->id_or_path, q->sql.arena);
		add_above(q, needed->id_or_path);
		return true;
	}
	return true;
}

bool version_needs_find(struct db *tracker, const struct needed *needed, struct arena *arena,
			struct needing_version_list *out, struct error *err)
{
	struct question q;
	begin(&q, &asked_of_versions, arena);
	if (!add_all(&q, tracker, needed, err))
		return false;
	sql_text(&q.sql, q.asked->end);
	return answer(&q, tracker, out, err);
}

bool version_needs_find_deleted(struct db *tracker, const struct needed *needed,
				int64_t deleted_after_ms, struct arena *arena,
				struct needing_version_list *out, struct error *err)
{
	struct question q;
	begin(&q, &asked_of_deleted, arena);
	if (!add_all(&q, tracker, needed, err))
		return false;
	sql_text(&q.sql, q.asked->end);
	sql_value_i64(&q.sql, deleted_after_ms);
	sql_text(&q.sql, SQL(" ORDER BY model, version"));
	return answer(&q, tracker, out, err);
}
