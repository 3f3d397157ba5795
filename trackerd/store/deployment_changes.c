/* Owns the rows of deployments' history. */
#include "store/deployment_changes.h"

#include <inttypes.h>

#include "limits.h"
#include "store/deployment_rows.h"
#include "store/search_page.h"

static bool read_changes(struct db_statement *st, struct arena *arena,
			 struct deployment_change_list *out, struct error *err);

/* ---- writing ------------------------------------------------------------------------------------ */

static bool prune_one(struct db *db, struct slice deployment_id, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM deployment_changes WHERE deployment_id = $1"
			       " AND change_seq <= (SELECT change_seq FROM deployment_changes"
			       " WHERE deployment_id = $1 ORDER BY change_seq DESC"
			       " LIMIT 1 OFFSET $2)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, deployment_id);
	db_bind_i64(st, 2, DEPLOYMENT_CHANGES_MAX);
	return db_run(st, err);
}

static bool prune_all(struct db *db, int64_t last_seq, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM deployment_changes WHERE change_seq <= $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, last_seq - DEPLOYMENT_CHANGES_ALL_MAX);
	return db_run(st, err);
}

/* If the last three attempts of a deployment went alike (deploying, then failed), the one in the middle goes. Who
 * follows the history was told of it when it was the last, and who was away hears of the newest. */
static bool drop_repeated_attempt(struct db *db, struct slice deployment_id, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("WITH latest AS (SELECT row_number() OVER (ORDER BY change_seq DESC) AS place, *"
		    " FROM deployment_changes WHERE deployment_id = $1"
		    " ORDER BY change_seq DESC LIMIT 6),"
		    " kinds AS (SELECT DISTINCT place % 2, state, heartbeat_ms, model, version,"
		    " previous_version, alias, environment, target, host, path, reason, actor"
		    " FROM latest)"
		    " DELETE FROM deployment_changes WHERE change_seq IN"
		    " (SELECT change_seq FROM latest WHERE place IN (3, 4))"
		    " AND (SELECT count(*) FROM latest) = 6 AND (SELECT count(*) FROM kinds) = 2"
		    " AND (SELECT state FROM latest WHERE place = 1) = 'failed'"
		    " AND (SELECT state FROM latest WHERE place = 2) = 'deploying'"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, deployment_id);
	return db_run(st, err);
}

bool deployment_change_record_in_txn(struct db *db, const struct deployment *d, int64_t now_ms,
				     int64_t *seq_out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO deployment_changes (deployment_id, time_ms, " DEPLOYMENT_KEPT ")"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
		    "$16)"
		    " RETURNING change_seq"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, d->deployment_id);
	db_bind_i64(st, 2, now_ms);
	deployment_row_bind(st, 3, d);
	if (!db_fetch_one(st, &found, err))
		return false;
	int64_t seq = db_column_i64(st, 0);
	db_reset(st);
	if (d->state == DEPLOYMENT_FAILED && !drop_repeated_attempt(db, d->deployment_id, err))
		return false;
	if (!prune_one(db, d->deployment_id, err) || !prune_all(db, seq, err))
		return false;
	*seq_out = seq;
	return true;
}

/* ---- reading ------------------------------------------------------------------------------------ */

bool deployment_changes_list(struct db *db, struct slice deployment_id, size_t rows_max,
			     struct slice page_token, struct arena *arena,
			     struct deployment_change_list *out, struct slice *next_out,
			     struct error *err)
{
	struct deployment_change_list list;
	struct slice next = {0};
	int64_t before;
	if (!search_page_row_before(page_token, &before, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " DEPLOYMENT_COLUMNS
			       ", d.time_ms FROM deployment_changes AS d" DEPLOYMENT_REGISTRY
			       " WHERE d.deployment_id = $1 AND d.change_seq < $2"
			       " ORDER BY d.change_seq DESC LIMIT $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, deployment_id);
	db_bind_i64(st, 2, before);
	db_bind_i64(st, 3, (int64_t)rows_max + 1);
	if (!read_changes(st, arena, &list, err))
		return false;
	if (list.count == 0 && page_token.len == 0)
		return deployment_error_missing(err, deployment_id);
	if (list.count > rows_max) {
		list.count = rows_max;
		next = arena_printf(arena, "%" PRId64,
				    list.items[rows_max - 1].deployment.change_seq);
	}
	*out = list;
	*next_out = next;
	return true;
}

bool deployment_changes_after(struct db *db, int64_t after_seq, size_t rows_max,
			      struct arena *arena, struct deployment_change_list *out,
			      struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " DEPLOYMENT_COLUMNS
			       ", d.time_ms FROM deployment_changes AS d" DEPLOYMENT_REGISTRY
			       " WHERE d.change_seq > $1 ORDER BY d.change_seq LIMIT $2"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, after_seq);
	db_bind_i64(st, 2, (int64_t)rows_max);
	return read_changes(st, arena, out, err);
}

static bool read_changes(struct db_statement *st, struct arena *arena,
			 struct deployment_change_list *out, struct error *err)
{
	struct deployment_change_list list = {NULL, 0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = (struct deployment_change){
			.time_ms = db_column_i64(st, DEPLOYMENT_COLUMN_COUNT),
			.deployment = deployment_row_read(st, arena)};
	}
	if (row != DB_DONE)
		return false;
	*out = list;
	return true;
}

bool deployment_changes_bounds(struct db *db, int64_t *first_seq_out, int64_t *last_seq_out,
			       struct error *err)
{
	bool found = false;
	/* Each is one look into the index; both of one aggregate would be a scan. */
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT (SELECT min(change_seq) FROM deployment_changes),"
			       " (SELECT max(change_seq) FROM deployment_changes)"),
			   err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	*first_seq_out = db_column_i64(st, 0); /* NULL is 0 */
	*last_seq_out = db_column_i64(st, 1);
	db_reset(st);
	return true;
}
