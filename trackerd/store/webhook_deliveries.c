/* Owns the rows of deliveries and of their attempts. */
#include "store/webhook_deliveries.h"

#include <inttypes.h>

#include "base/utf8.h"
#include "limits.h"
#include "store/search_page.h"
#include "store/webhooks.h"

#define DAY_MS ((int64_t)24 * 60 * 60 * 1000)

/* ---- sending ------------------------------------------------------------------------------------ */

bool webhook_deliveries_heads(struct db *db, struct arena *arena, struct webhook_head_list *out,
			      struct error *err)
{
	struct webhook_head_list list = {ARENA_NEW(arena, struct webhook_head, WEBHOOKS_MAX), 0};
	enum db_row row;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT w.webhook_pk, d.delivery_pk, d.next_attempt_ms FROM webhooks AS w"
		    " JOIN webhook_deliveries AS d ON d.delivery_pk ="
		    " (SELECT delivery_pk FROM webhook_deliveries"
		    " WHERE webhook_pk = w.webhook_pk AND state = 'PENDING'"
		    " ORDER BY position LIMIT 1)"
		    " WHERE w.is_active <> 0 AND w.pending_count > 0"),
		err);
	if (st == NULL)
		return false;
	while ((row = db_step(st, err)) == DB_ROW) {
		ASSERT(list.count < WEBHOOKS_MAX);
		list.items[list.count++] = (struct webhook_head){
			db_column_i64(st, 0), db_column_i64(st, 1), db_column_i64(st, 2)};
	}
	if (row != DB_DONE)
		return false;
	*out = list;
	return true;
}

bool webhook_message_load(struct db *db, int64_t delivery_pk, int64_t now_ms, struct arena *arena,
			  struct webhook_message *out, bool *found_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT w.url, w.secret, d.delivery_id, e.entity, e.action, e.data, e.time_ms,"
		    " d.queued_ms, d.attempt_count FROM webhook_deliveries AS d"
		    " JOIN webhooks AS w ON w.webhook_pk = d.webhook_pk"
		    " JOIN outbox_events AS e ON e.event_pk = d.event_pk"
		    " WHERE d.delivery_pk = $1 AND d.state = 'PENDING'"
		    " AND d.next_attempt_ms <= $2 AND w.is_active <> 0"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, delivery_pk);
	db_bind_i64(st, 2, now_ms);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (!*found_out)
		return true;
	*out = (struct webhook_message){.url = db_column_copy(st, 0, arena),
					.secret = db_column_copy(st, 1, arena),
					.delivery_id = db_column_copy(st, 2, arena),
					.entity = db_column_copy(st, 3, arena),
					.action = db_column_copy(st, 4, arena),
					.data = db_column_copy(st, 5, arena),
					.time_ms = db_column_i64(st, 6),
					.queued_ms = db_column_i64(st, 7),
					.attempt_count = db_column_i64(st, 8)};
	db_reset(st);
	return true;
}

/* State and count of attempts; *webhook_pk_out 0 when it is gone. */
static bool update_state(struct db *db, int64_t delivery_pk, int64_t attempt,
			 const struct webhook_verdict *verdict, int64_t *webhook_pk_out,
			 struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE webhook_deliveries SET state = $1, next_attempt_ms = $2,"
			       " attempt_count = $3 WHERE delivery_pk = $4 RETURNING webhook_pk"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, verdict->state);
	db_bind_i64(st, 2, verdict->next_attempt_ms);
	db_bind_i64(st, 3, attempt);
	db_bind_i64(st, 4, delivery_pk);
	if (!db_fetch_one(st, &found, err))
		return false;
	*webhook_pk_out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

/* Texts in the database are UTF-8 without NUL: each byte that does not fit becomes a question mark. */
static struct slice make_text(struct slice bytes, struct arena *arena)
{
	if (bytes.len == 0)
		return SLICE("");
	struct slice copy = arena_copy(arena, bytes);
	char *text = (char *)(uintptr_t)copy.ptr; /* ours to change */
	for (size_t i = 0; i < copy.len;) {
		size_t len = utf8_sequence_bytes(text + i, copy.len - i);
		if (len == 0 || text[i] == '\0')
			text[i] = '?';
		i += len == 0 ? 1 : len;
	}
	return copy;
}

static bool insert_attempt(struct db *db, int64_t delivery_pk,
			   const struct webhook_attempt *attempt, struct arena *arena,
			   struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO webhook_attempts (delivery_pk, attempt, time_ms, duration_ms,"
		    " response_status, response_body, error_message)"
		    " VALUES ($1, $2, $3, $4, $5, $6, $7)"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, delivery_pk);
	db_bind_i64(st, 2, attempt->attempt);
	db_bind_i64(st, 3, attempt->time_ms);
	db_bind_i64(st, 4, attempt->duration_ms);
	db_bind_i64(st, 5, attempt->response_status);
	db_bind_text(st, 6, make_text(attempt->response_body, arena));
	db_bind_text(st, 7, make_text(attempt->error_message, arena));
	return db_run(st, err);
}

bool webhook_attempt_record_in_txn(struct db *db, int64_t delivery_pk,
				   const struct webhook_attempt *attempt,
				   const struct webhook_verdict *verdict, struct arena *arena,
				   struct error *err)
{
	int64_t webhook_pk = 0;
	if (!update_state(db, delivery_pk, attempt->attempt, verdict, &webhook_pk, err))
		return false;
	if (webhook_pk == 0)
		return true;
	if (!insert_attempt(db, delivery_pk, attempt, arena, err))
		return false;
	return slice_eq(verdict->state, SLICE("PENDING")) ||
	       (webhook_deliveries_count_in_txn(db, webhook_pk, -1, 1, err) &&
		webhook_deliveries_prune_in_txn(db, webhook_pk,
						attempt->time_ms + attempt->duration_ms, err));
}

/* ---- counting and pruning ----------------------------------------------------------------------- */

bool webhook_deliveries_count_in_txn(struct db *db, int64_t webhook_pk, int pending, int ended,
				     struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE webhooks SET pending_count = pending_count + $1,"
			       " ended_count = ended_count + $2 WHERE webhook_pk = $3"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pending);
	db_bind_i64(st, 2, ended);
	db_bind_i64(st, 3, webhook_pk);
	return db_run(st, err);
}

/* The oldest delivery that ended, if the log keeps it no longer. */
static bool find_prunable(struct db *db, int64_t webhook_pk, int64_t now_ms,
			  int64_t *delivery_pk_out, int64_t *event_pk_out, bool *found_out,
			  struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT d.delivery_pk, d.event_pk, d.queued_ms < $2 OR w.ended_count > $3"
		    " FROM webhook_deliveries AS d JOIN webhooks AS w"
		    " ON w.webhook_pk = d.webhook_pk"
		    " WHERE d.webhook_pk = $1 AND d.state <> 'PENDING'"
		    " ORDER BY d.position LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	db_bind_i64(st, 2, now_ms - WEBHOOK_LOG_DAYS * DAY_MS);
	db_bind_i64(st, 3, WEBHOOK_ENDED_MAX);
	if (!db_fetch_one(st, found_out, err))
		return false;
	if (*found_out) {
		*delivery_pk_out = db_column_i64(st, 0);
		*event_pk_out = db_column_i64(st, 1);
		*found_out = db_column_i64(st, 2) != 0;
	}
	db_reset(st);
	return true;
}

static bool delete_delivery(struct db *db, int64_t delivery_pk, int64_t event_pk, struct error *err)
{
	struct db_statement *st =
		db_prepare(db, SQL("DELETE FROM webhook_deliveries WHERE delivery_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, delivery_pk);
	if (!db_run(st, err))
		return false;
	st = db_prepare(db,
			SQL("DELETE FROM outbox_events WHERE event_pk = $1 AND NOT EXISTS"
			    " (SELECT 1 FROM webhook_deliveries WHERE event_pk = $1)"),
			err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, event_pk);
	return db_run(st, err);
}

bool webhook_deliveries_prune_in_txn(struct db *db, int64_t webhook_pk, int64_t now_ms,
				     struct error *err)
{
	for (int i = 0; i < 2; i++) {
		int64_t delivery_pk = 0, event_pk = 0;
		bool found = false;
		if (!find_prunable(db, webhook_pk, now_ms, &delivery_pk, &event_pk, &found, err))
			return false;
		if (!found)
			return true;
		if (!delete_delivery(db, delivery_pk, event_pk, err) ||
		    !webhook_deliveries_count_in_txn(db, webhook_pk, 0, -1, err))
			return false;
	}
	return true;
}

/* ---- the log ------------------------------------------------------------------------------------ */

static bool load_attempts(struct db *db, struct webhook_delivery *delivery, size_t count,
			  struct arena *arena, struct error *err)
{
	struct webhook_attempt_list list = {ARENA_NEW(arena, struct webhook_attempt, count), 0};
	enum db_row row = DB_DONE;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT attempt, time_ms, duration_ms, response_status,"
			       " response_body, error_message FROM webhook_attempts"
			       " WHERE delivery_pk = $1 ORDER BY attempt"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, delivery->delivery_pk);
	while (list.count < count && (row = db_step(st, err)) == DB_ROW)
		list.items[list.count++] = (struct webhook_attempt){
			db_column_i64(st, 0),	      db_column_i64(st, 1),
			db_column_i64(st, 2),	      db_column_i64(st, 3),
			db_column_copy(st, 4, arena), db_column_copy(st, 5, arena)};
	if (row == DB_FAILED)
		return false;
	db_reset(st);
	delivery->attempts = list;
	return true;
}

#define DELIVERY_COLUMNS                                                                           \
	"d.delivery_pk, d.position, d.delivery_id, e.entity, e.action, d.state, e.time_ms,"        \
	" d.next_attempt_ms, d.attempt_count FROM webhook_deliveries AS d"                         \
	" JOIN outbox_events AS e ON e.event_pk = d.event_pk"

/* The columns of DELIVERY_COLUMNS; attempts.count is how many there are, to be loaded. */
static struct webhook_delivery read_row(const struct db_statement *st, struct arena *arena)
{
	int64_t attempt_count = db_column_i64(st, 8);
	ASSERT(attempt_count >= 0);
	return (struct webhook_delivery){.delivery_pk = db_column_i64(st, 0),
					 .position = db_column_i64(st, 1),
					 .delivery_id = db_column_copy(st, 2, arena),
					 .entity = db_column_copy(st, 3, arena),
					 .action = db_column_copy(st, 4, arena),
					 .state = db_column_copy(st, 5, arena),
					 .event_time_ms = db_column_i64(st, 6),
					 .next_attempt_ms = db_column_i64(st, 7),
					 .attempts.count = (size_t)attempt_count};
}

bool webhook_deliveries_list(struct db *db, int64_t webhook_pk, size_t rows_max,
			     struct slice page_token, struct arena *arena,
			     struct webhook_delivery_list *out, struct slice *next_out,
			     struct error *err)
{
	struct webhook_delivery_list list = {
		ARENA_NEW(arena, struct webhook_delivery, rows_max + 1), 0};
	struct slice next = {0};
	int64_t before;
	enum db_row row;
	if (!search_page_row_before(page_token, &before, err))
		return false;
	struct db_statement *st = db_prepare(db,
					     SQL("SELECT " DELIVERY_COLUMNS
						 " WHERE d.webhook_pk = $1 AND d.position < $2"
						 " ORDER BY d.position DESC LIMIT $3"),
					     err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	db_bind_i64(st, 2, before);
	db_bind_i64(st, 3, (int64_t)rows_max + 1);
	while ((row = db_step(st, err)) == DB_ROW)
		list.items[list.count++] = read_row(st, arena);
	if (row != DB_DONE)
		return false;
	if (list.count > rows_max) {
		list.count = rows_max;
		next = arena_printf(arena, "%" PRId64, list.items[rows_max - 1].position);
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!load_attempts(db, &list.items[i], list.items[i].attempts.count, arena, err))
			return false;
	}
	*out = list;
	*next_out = next;
	return true;
}

bool webhook_delivery_load(struct db *db, int64_t webhook_pk, struct slice delivery_id,
			   struct arena *arena, struct webhook_delivery *out, struct error *err)
{
	bool found = false;
	char quoted[100];
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT " DELIVERY_COLUMNS " WHERE d.webhook_pk = $1 AND d.delivery_id = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, webhook_pk);
	db_bind_text(st, 2, delivery_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (!found)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "The webhook has no delivery with ID %s.",
				 error_quote(delivery_id, quoted, sizeof(quoted)));
	*out = read_row(st, arena);
	db_reset(st);
	return load_attempts(db, out, out->attempts.count, arena, err);
}

/* It keeps its place in the order. */
static bool hurry(struct db *db, int64_t delivery_pk, int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE webhook_deliveries SET next_attempt_ms = $1 WHERE delivery_pk = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, delivery_pk);
	return db_run(st, err);
}

static bool queue_again(struct db *db, int64_t webhook_pk, int64_t delivery_pk, int64_t now_ms,
			struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE webhook_deliveries SET state = 'PENDING', queued_ms = $1,"
		    " next_attempt_ms = $1, position = (SELECT max(position) + 1"
		    " FROM webhook_deliveries WHERE webhook_pk = $2) WHERE delivery_pk = $3"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, webhook_pk);
	db_bind_i64(st, 3, delivery_pk);
	return db_run(st, err) && webhook_deliveries_count_in_txn(db, webhook_pk, 1, -1, err);
}

bool webhook_delivery_replay_in_txn(struct db *db, int64_t webhook_pk,
				    struct webhook_delivery *delivery, int64_t now_ms,
				    struct error *err)
{
	bool ok = slice_eq(delivery->state, SLICE("PENDING"))
			  ? hurry(db, delivery->delivery_pk, now_ms, err)
			  : queue_again(db, webhook_pk, delivery->delivery_pk, now_ms, err);
	if (!ok)
		return false;
	delivery->state = SLICE("PENDING");
	delivery->next_attempt_ms = now_ms;
	return true;
}
