/* Owns the rows of webhooks and of the events they ask for. */
#include "store/webhooks.h"

#include <inttypes.h>

#include "limits.h"
#include "store/search_page.h"

static bool error_missing(struct error *err, struct slice webhook_id)
{
	char quoted[300];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Webhook with ID %s not found.",
			 error_quote(webhook_id, quoted, sizeof(quoted)));
}

/* ---- making, changing --------------------------------------------------------------------------- */

static bool check_count(struct db *db, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(db, SQL("SELECT count(*) FROM webhooks"), err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	int64_t count = db_column_i64(st, 0);
	db_reset(st);
	return count < WEBHOOKS_MAX ||
	       error_set(err, ERR_REQUEST_LIMIT_EXCEEDED,
			 "There are %d webhooks already; delete one first.", WEBHOOKS_MAX);
}

static bool insert_events(struct db *db, const struct webhook *webhook, struct error *err)
{
	for (size_t i = 0; i < webhook->event_count; i++) {
		const struct webhook_event_kind *kind = webhook->events[i];
		struct db_statement *st = db_prepare(
			db,
			SQL("INSERT INTO webhook_events (entity, action, webhook_pk)"
			    " SELECT $1, $2, webhook_pk FROM webhooks WHERE webhook_id = $3"),
			err);
		if (st == NULL)
			return false;
		db_bind_text(st, 1, slice_from_cstr(webhook_entity_name(kind->entity)));
		db_bind_text(st, 2, slice_from_cstr(webhook_action_name(kind->action)));
		db_bind_text(st, 3, webhook->webhook_id);
		if (!db_run(st, err))
			return false;
	}
	return true;
}

bool webhook_insert_in_txn(struct db *db, const struct webhook *new, struct error *err)
{
	if (!check_count(db, err))
		return false;
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO webhooks (webhook_id, name, description, url, secret, is_active,"
		    " creation_time_ms, last_updated_time_ms)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, new->webhook_id);
	db_bind_text(st, 2, new->name);
	db_bind_text(st, 3, new->description);
	db_bind_text(st, 4, new->url);
	db_bind_text(st, 5, new->secret);
	db_bind_i64(st, 6, new->is_active);
	db_bind_i64(st, 7, new->creation_time_ms);
	db_bind_i64(st, 8, new->last_updated_time_ms);
	return db_run(st, err) && insert_events(db, new, err);
}

static bool delete_events(struct db *db, int64_t webhook_pk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM webhook_events WHERE webhook_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	return db_run(st, err);
}

bool webhook_save_in_txn(struct db *db, const struct webhook *webhook, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE webhooks SET name = $1, description = $2, url = $3, secret = $4,"
		    " is_active = $5, last_updated_time_ms = $6 WHERE webhook_pk = $7"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, webhook->name);
	db_bind_text(st, 2, webhook->description);
	db_bind_text(st, 3, webhook->url);
	db_bind_text(st, 4, webhook->secret);
	db_bind_i64(st, 5, webhook->is_active);
	db_bind_i64(st, 6, webhook->last_updated_time_ms);
	db_bind_i64(st, 7, webhook->webhook_pk);
	return db_run(st, err) && delete_events(db, webhook->webhook_pk, err) &&
	       insert_events(db, webhook, err);
}

/* The events that no other webhook has a delivery of; their deliveries go with them. */
static bool delete_own_events(struct db *db, int64_t webhook_pk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM outbox_events WHERE event_pk IN"
			       " (SELECT event_pk FROM webhook_deliveries WHERE webhook_pk = $1)"
			       " AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS other"
			       " WHERE other.event_pk = outbox_events.event_pk"
			       " AND other.webhook_pk <> $1)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	return db_run(st, err);
}

bool webhook_delete_in_txn(struct db *db, int64_t webhook_pk, struct error *err)
{
	if (!delete_own_events(db, webhook_pk, err))
		return false;
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM webhooks WHERE webhook_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	return db_run(st, err);
}

/* ---- loading ------------------------------------------------------------------------------------ */

static bool load_events(struct db *db, struct webhook *w, struct arena *arena, struct error *err)
{
	enum db_row row;
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT entity, action FROM webhook_events"
						 " WHERE webhook_pk = $1 ORDER BY entity, action"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, w->webhook_pk);
	w->events = ARENA_NEW(arena, const struct webhook_event_kind *, webhook_event_kinds_count);
	while ((row = db_step(st, err)) == DB_ROW) {
		const struct webhook_event_kind *kind =
			webhook_event_kind_from_names(db_column_text(st, 0), db_column_text(st, 1));
		/* None twice: the primary key. An unknown one is of a later version. */
		if (kind != NULL)
			w->events[w->event_count++] = kind;
	}
	return row == DB_DONE;
}

/* The columns of WEBHOOK_COLUMNS. */
static struct webhook read_row(const struct db_statement *st, struct arena *arena)
{
	return (struct webhook){.webhook_pk = db_column_i64(st, 0),
				.webhook_id = db_column_copy(st, 1, arena),
				.name = db_column_copy(st, 2, arena),
				.description = db_column_copy(st, 3, arena),
				.url = db_column_copy(st, 4, arena),
				.secret = db_column_copy(st, 5, arena),
				.is_active = db_column_i64(st, 6) != 0,
				.creation_time_ms = db_column_i64(st, 7),
				.last_updated_time_ms = db_column_i64(st, 8)};
}
#define WEBHOOK_COLUMNS                                                                            \
	"webhook_pk, webhook_id, name, description, url, secret, is_active, creation_time_ms,"     \
	" last_updated_time_ms"

bool webhook_load(struct db *db, struct slice webhook_id, struct arena *arena, struct webhook *out,
		  struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db, SQL("SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE webhook_id = $1"), err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, webhook_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (!found)
		return error_missing(err, webhook_id);
	*out = read_row(st, arena);
	db_reset(st);
	return load_events(db, out, arena, err);
}

bool webhooks_list(struct db *db, size_t rows_max, struct slice page_token, struct arena *arena,
		   struct webhook_list *out, struct slice *next_out, struct error *err)
{
	struct webhook_list list = {ARENA_NEW(arena, struct webhook, rows_max + 1), 0};
	struct slice next = {0};
	int64_t before;
	enum db_row row;
	if (!search_page_row_before(page_token, &before, err))
		return false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT " WEBHOOK_COLUMNS " FROM webhooks WHERE webhook_pk < $1"
			       " ORDER BY webhook_pk DESC LIMIT $2"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, before);
	db_bind_i64(st, 2, (int64_t)rows_max + 1);
	while ((row = db_step(st, err)) == DB_ROW)
		list.items[list.count++] = read_row(st, arena);
	if (row != DB_DONE)
		return false;
	if (list.count > rows_max) {
		list.count = rows_max;
		next = arena_printf(arena, "%" PRId64, list.items[rows_max - 1].webhook_pk);
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!load_events(db, &list.items[i], arena, err))
			return false;
	}
	*out = list;
	*next_out = next;
	return true;
}
