/* Owns the rows of deployments. */
#include "store/deployments.h"

#include <inttypes.h>

#include "limits.h"
#include "store/deployment_changes.h"
#include "store/deployment_rows.h"
#include "store/registry_state.h"
#include "store/search_page.h"

/* A row as it is kept: what was reported, and apart from it whether that is still to be believed. */
struct kept {
	struct deployment deployment;
	bool is_stale;
	int64_t stale_since_ms;
};

#define KEPT_COLUMNS DEPLOYMENT_COLUMNS ", d.deployment_pk, d.stale_since_ms"
#define KEPT_FROM    " FROM deployments AS d" DEPLOYMENT_REGISTRY

static struct kept read_kept(const struct db_statement *st, struct arena *arena);
static struct deployment shown(const struct kept *kept, struct arena *arena);
static bool find(struct db *db, struct slice deployment_id, struct arena *arena, struct kept *out,
		 bool *found_out, struct error *err);
static bool save(struct db *db, const struct kept *kept, struct error *err);
static bool read_shown(struct db_statement *st, struct arena *arena, struct deployment_list *out,
		       struct error *err);

bool deployment_differs(const struct deployment *d)
{
	return d->alias.len > 0 && d->alias_version != d->version;
}

/* ---- reports ------------------------------------------------------------------------------------ */

static bool check_count(struct db *db, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(db, SQL("SELECT count(*) FROM deployments"), err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	int64_t count = db_column_i64(st, 0);
	db_reset(st);
	return count < DEPLOYMENTS_MAX ||
	       error_set(err, ERR_REQUEST_LIMIT_EXCEEDED,
			 "There are %d deployments already; forget those that are gone, with \"trk "
			 "deployments forget\".",
			 DEPLOYMENTS_MAX);
}

static bool insert(struct db *db, const struct deployment *d, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO deployments (deployment_id, change_seq, " DEPLOYMENT_KEPT ")"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15,"
		    " $16)"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, d->deployment_id);
	db_bind_i64(st, 2, d->change_seq);
	deployment_row_bind(st, 3, d);
	return db_run(st, err);
}

/* Is that the same for whoever looks at it? The actor is of a change, and none by itself. */
static bool is_same(const struct deployment *a, const struct deployment *b)
{
	return a->state == b->state && a->version == b->version &&
	       a->previous_version == b->previous_version && slice_eq(a->model, b->model) &&
	       slice_eq(a->alias, b->alias) && slice_eq(a->environment, b->environment) &&
	       slice_eq(a->target, b->target) && slice_eq(a->host, b->host) &&
	       slice_eq(a->path, b->path) && slice_eq(a->reason, b->reason);
}

/* What was there before, when the report does not tell. */
static int64_t previous_version(const struct deployment *report, const struct deployment *before)
{
	if (report->previous_version >= 0)
		return report->previous_version;
	bool same_model = slice_eq(report->model, before->model);
	if (!same_model)
		return 0;
	return report->version != before->version ? before->version : before->previous_version;
}

static struct deployment merge(const struct deployment *report, const struct deployment *before,
			       int64_t now_ms)
{
	struct deployment d = *report;
	bool goes_on = report->state == before->state && report->version == before->version &&
		       slice_eq(report->model, before->model);
	d.deployment_pk = before->deployment_pk;
	d.change_seq = before->change_seq;
	d.previous_version = previous_version(report, before);
	d.since_ms = goes_on ? before->since_ms : now_ms;
	d.last_seen_ms = now_ms;
	return d;
}

/* What is kept from now on. A target that ends is stale over what it was. */
static struct kept take_report(struct deployment report, const struct kept *before, int64_t now_ms)
{
	struct kept now = {.is_stale = report.state == DEPLOYMENT_STALE};
	if (now.is_stale) {
		report.state = before->deployment.state;
		report.heartbeat_ms = 0;
		now.stale_since_ms = before->is_stale ? before->stale_since_ms : now_ms;
	}
	now.deployment = merge(&report, &before->deployment, now_ms);
	return now;
}

bool deployment_report_in_txn(struct db *db, const struct deployment *report, int64_t now_ms,
			      struct arena *arena, bool *has_changed_out, struct error *err)
{
	struct deployment said = *report;
	struct kept before = {0};
	struct slice name_now;
	bool is_known = false;
	if (!find(db, report->deployment_id, arena, &before, &is_known, err) ||
	    (!is_known && !check_count(db, err)) ||
	    !registry_name_now(db, report->model, arena, &name_now, err))
		return false;
	if (!is_known && report->state == DEPLOYMENT_STALE)
		return deployment_error_missing(err, report->deployment_id);
	if (slice_is_present(name_now))
		said.model = name_now;
	struct kept now = take_report(said, &before, now_ms);
	struct deployment was = is_known ? shown(&before, arena) : before.deployment;
	struct deployment is = shown(&now, arena);
	bool has_changed = !is_known || !is_same(&was, &is);
	ASSERT(deployment_state_may_become(was.state, is.state) || was.state == is.state);
	if (has_changed &&
	    !deployment_change_record_in_txn(db, &is, now_ms, &now.deployment.change_seq, err))
		return false;
	if (!(is_known ? save(db, &now, err) : insert(db, &now.deployment, err)))
		return false;
	*has_changed_out = has_changed;
	return true;
}

/* ---- heartbeats --------------------------------------------------------------------------------- */

static bool see(struct db *db, int64_t deployment_pk, int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE deployments SET last_seen_ms = $1 WHERE deployment_pk = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, deployment_pk);
	return db_run(st, err);
}

static bool come_back(struct db *db, struct kept *kept, int64_t now_ms, struct error *err)
{
	kept->is_stale = false;
	kept->deployment.last_seen_ms = now_ms;
	if (kept->deployment.heartbeat_ms == 0)
		kept->deployment.reason = SLICE(""); /* that it ends, which is not so */
	return deployment_change_record_in_txn(db, &kept->deployment, now_ms,
					       &kept->deployment.change_seq, err) &&
	       save(db, kept, err);
}

/* The narrow way, for those that are not stale: nearly all. */
static bool find_fresh(struct db *db, struct slice deployment_id, int64_t *pk_out,
		       enum deployment_state *state_out, struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT deployment_pk, state FROM deployments"
			       " WHERE deployment_id = $1 AND stale_since_ms IS NULL"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, deployment_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	*pk_out = found ? db_column_i64(st, 0) : 0;
	*state_out = found ? deployment_state_from_name(db_column_text(st, 1)) : DEPLOYMENT_UNKNOWN;
	db_reset(st);
	return true;
}

bool deployment_heartbeat_in_txn(struct db *db, struct slice deployment_id, int64_t now_ms,
				 struct arena *arena, enum deployment_state *state_out,
				 bool *has_changed_out, struct error *err)
{
	enum deployment_state state;
	struct kept kept;
	int64_t pk;
	bool found = false;
	if (!find_fresh(db, deployment_id, &pk, &state, err))
		return false;
	if (pk != 0) {
		*state_out = state;
		*has_changed_out = false;
		return see(db, pk, now_ms, err);
	}
	if (!find(db, deployment_id, arena, &kept, &found, err))
		return false;
	if (!found)
		return deployment_error_missing(err, deployment_id);
	if (!come_back(db, &kept, now_ms, err))
		return false;
	*state_out = kept.deployment.state;
	*has_changed_out = true;
	return true;
}

/* ---- forgetting --------------------------------------------------------------------------------- */

static bool delete_row(struct db *db, int64_t deployment_pk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM deployments WHERE deployment_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, deployment_pk);
	return db_run(st, err);
}

bool deployment_forget_in_txn(struct db *db, struct slice deployment_id, struct slice actor,
			      int64_t now_ms, struct arena *arena, struct error *err)
{
	struct kept kept;
	int64_t seq;
	bool found = false;
	if (!find(db, deployment_id, arena, &kept, &found, err))
		return false;
	if (!found)
		return deployment_error_missing(err, deployment_id);
	kept.deployment.state = DEPLOYMENT_FORGOTTEN;
	kept.deployment.since_ms = now_ms;
	kept.deployment.reason = SLICE("");
	kept.deployment.actor = actor;
	return deployment_change_record_in_txn(db, &kept.deployment, now_ms, &seq, err) &&
	       delete_row(db, kept.deployment.deployment_pk, err);
}

/* ---- renaming ----------------------------------------------------------------------------------- */

static bool load_of_model(struct db *db, struct slice name, struct arena *arena, struct kept **out,
			  size_t *count_out, struct error *err)
{
	struct kept *items = NULL;
	size_t count = 0;
	enum db_row row;
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT " KEPT_COLUMNS KEPT_FROM
						 " WHERE d.model = $1 ORDER BY d.deployment_pk"),
					     err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	while ((row = db_step(st, err)) == DB_ROW) {
		items = arena_list_room(arena, items, count, sizeof(*items));
		items[count++] = read_kept(st, arena);
	}
	*out = items;
	*count_out = count;
	return row == DB_DONE;
}

bool deployments_rename_in_txn(struct db *db, struct slice name, struct slice new_name,
			       struct slice actor, int64_t now_ms, struct arena *arena,
			       struct deployment_list *out, struct error *err)
{
	struct kept *kept;
	size_t count;
	if (!load_of_model(db, name, arena, &kept, &count, err))
		return false;
	struct deployment_list list = {ARENA_NEW(arena, struct deployment, count + 1), count};
	for (size_t i = 0; i < count; i++) {
		kept[i].deployment.model = new_name;
		kept[i].deployment.actor = actor;
		list.items[i] = shown(&kept[i], arena);
		if (!deployment_change_record_in_txn(db, &list.items[i], now_ms,
						     &kept[i].deployment.change_seq, err) ||
		    !save(db, &kept[i], err))
			return false;
		list.items[i].change_seq = kept[i].deployment.change_seq;
	}
	*out = list;
	return true;
}

/* ---- turning stale ------------------------------------------------------------------------------ */

/* When this row turns stale; $1 is now, $2 since when somebody is missed, $3 how many heartbeats may be. */
#define DUE_MS                                                                                     \
	"(CASE WHEN d.last_seen_ms BETWEEN $2 AND $1 THEN d.last_seen_ms ELSE $2 END"              \
	" + $3 * d.heartbeat_ms)"
#define IS_MISSED "d.heartbeat_ms > 0 AND d.stale_since_ms IS NULL"

static void bind_watch(struct db_statement *st, const struct deployment_watch *watch)
{
	db_bind_i64(st, 1, watch->now_ms);
	db_bind_i64(st, 2, watch->since_ms);
	db_bind_i64(st, 3, DEPLOYMENT_HEARTBEATS_MISSED);
}

bool deployments_overview(struct db *db, const struct deployment_watch *watch,
			  struct deployment_overview *out, struct error *err)
{
	struct deployment_overview overview = {.next_due_ms = INT64_MAX};
	enum db_row row;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT d.state, d.stale_since_ms IS NOT NULL AS is_stale, count(*),"
			       " min(CASE WHEN " IS_MISSED " THEN " DUE_MS " END)"
			       " FROM deployments AS d GROUP BY d.state, is_stale"),
			   err);
	if (st == NULL)
		return false;
	bind_watch(st, watch);
	while ((row = db_step(st, err)) == DB_ROW) {
		enum deployment_state state = deployment_state_from_name(db_column_text(st, 0));
		if (db_column_i64(st, 1) != 0)
			state = DEPLOYMENT_STALE;
		overview.counts[state] += db_column_i64(st, 2);
		if (!db_column_is_null(st, 3) && db_column_i64(st, 3) < overview.next_due_ms)
			overview.next_due_ms = db_column_i64(st, 3);
	}
	if (row != DB_DONE)
		return false;
	*out = overview;
	return true;
}

static bool load_missed(struct db *db, const struct deployment_watch *watch, size_t rows_max,
			struct arena *arena, struct kept **out, size_t *count_out,
			struct error *err)
{
	struct kept *items = ARENA_NEW(arena, struct kept, rows_max);
	size_t count = 0;
	enum db_row row;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " KEPT_COLUMNS KEPT_FROM " WHERE " IS_MISSED " AND " DUE_MS
			       " <= $1 ORDER BY d.deployment_pk LIMIT $4"),
			   err);
	if (st == NULL)
		return false;
	bind_watch(st, watch);
	db_bind_i64(st, 4, (int64_t)rows_max);
	while ((row = db_step(st, err)) == DB_ROW)
		items[count++] = read_kept(st, arena);
	*out = items;
	*count_out = count;
	return row == DB_DONE;
}

bool deployments_mark_stale_in_txn(struct db *db, const struct deployment_watch *watch,
				   size_t rows_max, struct arena *arena,
				   struct deployment_list *out, struct error *err)
{
	struct deployment_list list = {ARENA_NEW(arena, struct deployment, rows_max), 0};
	struct kept *missed;
	size_t count;
	if (!load_missed(db, watch, rows_max, arena, &missed, &count, err))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct kept *kept = &missed[i];
		kept->is_stale = true;
		kept->stale_since_ms = watch->now_ms;
		struct deployment stale = shown(kept, arena);
		ASSERT(deployment_state_may_become(kept->deployment.state, stale.state));
		if (!deployment_change_record_in_txn(db, &stale, watch->now_ms,
						     &kept->deployment.change_seq, err) ||
		    !save(db, kept, err))
			return false;
		stale.change_seq = kept->deployment.change_seq;
		list.items[list.count++] = stale;
	}
	*out = list;
	return true;
}

/* ---- reading ------------------------------------------------------------------------------------ */

bool deployment_load(struct db *db, struct slice deployment_id, struct arena *arena,
		     struct deployment *out, struct error *err)
{
	struct kept kept;
	bool found = false;
	if (!find(db, deployment_id, arena, &kept, &found, err))
		return false;
	if (!found)
		return deployment_error_missing(err, deployment_id);
	*out = shown(&kept, arena);
	return true;
}

static void filter_text_sql(struct sql_builder *b, struct sql condition, struct slice value)
{
	if (value.len == 0)
		return;
	sql_text(b, condition);
	sql_value_text(b, value);
}

static void filter_sql(struct sql_builder *b, const struct deployment_filter *filter)
{
	filter_text_sql(b, SQL(" AND d.model = "), filter->model);
	filter_text_sql(b, SQL(" AND d.environment = "), filter->environment);
	filter_text_sql(b, SQL(" AND d.target = "), filter->target);
	if (filter->state == DEPLOYMENT_STALE) {
		sql_text(b, SQL(" AND d.stale_since_ms IS NOT NULL"));
	} else if (filter->state != DEPLOYMENT_UNKNOWN) {
		sql_text(b, SQL(" AND d.stale_since_ms IS NULL AND d.state = "));
		sql_value_text(b, slice_from_cstr(deployment_state_name(filter->state)));
	}
}

bool deployments_list(struct db *db, const struct deployment_filter *filter, size_t rows_max,
		      struct slice page_token, struct arena *arena, struct deployment_list *out,
		      struct slice *next_out, struct error *err)
{
	struct deployment_list list;
	struct sql_builder b;
	struct slice next = {0};
	int64_t before;
	if (!search_page_row_before(page_token, &before, err))
		return false;
	sql_builder_init(&b, arena);
	sql_text(&b, SQL("SELECT " KEPT_COLUMNS KEPT_FROM " WHERE d.deployment_pk < "));
	sql_value_i64(&b, before);
	filter_sql(&b, filter);
	sql_text(&b, SQL(" ORDER BY d.deployment_pk DESC"));
	search_page_limit_sql(rows_max, &b);
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL || !read_shown(st, arena, &list, err))
		return false;
	if (list.count > rows_max) {
		list.count = rows_max;
		next = arena_printf(arena, "%" PRId64, list.items[rows_max - 1].deployment_pk);
	}
	*out = list;
	*next_out = next;
	return true;
}

bool deployments_of_version(struct db *db, struct slice model, int64_t version, size_t rows_max,
			    struct arena *arena, struct deployment_list *out, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " KEPT_COLUMNS KEPT_FROM " WHERE d.model = $1"
			       " AND d.version > 0 AND ($2 = 0 OR d.version = $2 OR (d.state = "
			       "'deploying' AND d.previous_version = $2))"
			       " ORDER BY d.environment, d.target, d.deployment_pk LIMIT $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, model);
	db_bind_i64(st, 2, version);
	db_bind_i64(st, 3, (int64_t)rows_max);
	return read_shown(st, arena, out, err);
}

/* ---- rows --------------------------------------------------------------------------------------- */

static struct kept read_kept(const struct db_statement *st, struct arena *arena)
{
	struct kept kept = {.deployment = deployment_row_read(st, arena)};
	kept.deployment.deployment_pk = db_column_i64(st, DEPLOYMENT_COLUMN_COUNT);
	kept.is_stale = !db_column_is_null(st, DEPLOYMENT_COLUMN_COUNT + 1);
	kept.stale_since_ms = db_column_i64(st, DEPLOYMENT_COLUMN_COUNT + 1);
	return kept;
}

static struct deployment shown(const struct kept *kept, struct arena *arena)
{
	struct deployment d = kept->deployment;
	if (!kept->is_stale)
		return d;
	d.state = DEPLOYMENT_STALE;
	d.since_ms = kept->stale_since_ms;
	if (d.heartbeat_ms == 0)
		return d; /* it said so itself, and why */
	d.reason = arena_printf(arena, "missed %d heartbeats, one every %.4g s; it was %s before",
				DEPLOYMENT_HEARTBEATS_MISSED, (double)d.heartbeat_ms / 1000.0,
				deployment_state_name(kept->deployment.state));
	d.actor = SLICE("");
	return d;
}

static bool read_shown(struct db_statement *st, struct arena *arena, struct deployment_list *out,
		       struct error *err)
{
	struct deployment_list list = {NULL, 0};
	enum db_row row;
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct kept kept = read_kept(st, arena);
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		list.items[list.count++] = shown(&kept, arena);
	}
	if (row != DB_DONE)
		return false;
	*out = list;
	return true;
}

static bool find(struct db *db, struct slice deployment_id, struct arena *arena, struct kept *out,
		 bool *found_out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db, SQL("SELECT " KEPT_COLUMNS KEPT_FROM " WHERE d.deployment_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, deployment_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		*out = read_kept(st, arena);
		db_reset(st);
	}
	*found_out = found;
	return true;
}

static bool save(struct db *db, const struct kept *kept, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE deployments SET (" DEPLOYMENT_KEPT ") = ($4, $5, $6, $7, $8, $9, $10,"
		    " $11, $12, $13, $14, $15, $16, $17), change_seq = $1, stale_since_ms = $2"
		    " WHERE deployment_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, kept->deployment.change_seq);
	if (kept->is_stale)
		db_bind_i64(st, 2, kept->stale_since_ms);
	db_bind_i64(st, 3, kept->deployment.deployment_pk);
	deployment_row_bind(st, 4, &kept->deployment);
	return db_run(st, err);
}
