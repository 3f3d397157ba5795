/* Owns the kinds of events and the rows of the outbox. */
#include "store/webhook_events.h"

#include "base/random_id.h"
#include "limits.h"
#include "store/webhook_deliveries.h"

#define EXAMPLE_NAME(noun)    "{\"name\": \"example_" noun "\", "
#define EXAMPLE_VERSION(noun) EXAMPLE_NAME(noun) "\"version\": \"1\", "
#define EXAMPLE_KEY	      "\"key\": \"example_key\"}"
#define EXAMPLE_KEY_VALUE     "\"key\": \"example_key\", \"value\": \"example_value\"}"
#define EXAMPLE_ALIAS	      "\"alias\": \"example_alias\"}"
#define EXAMPLE_ALIAS_VERSION "\"alias\": \"example_alias\", \"version\": \"1\"}"
#define EXAMPLE_TAGS(noun)                                                                         \
	"\"tags\": {\"example_key\": \"example_value\"}, \"description\": \"An example " noun      \
	" version\"}"

// clang-format off
const struct webhook_event_kind webhook_event_kinds[] = {
	{WEBHOOK_REGISTERED_MODEL, WEBHOOK_CREATED,
	 "{\"name\": \"example_model\", \"tags\": {\"example_key\": \"example_value\"}, "
	 "\"description\": \"An example registered model\"}"},
	{WEBHOOK_MODEL_VERSION, WEBHOOK_CREATED,
	 EXAMPLE_VERSION("model") "\"source\": \"models:/123\", \"run_id\": \"abcd1234abcd5678\", " EXAMPLE_TAGS("model")},
	{WEBHOOK_MODEL_VERSION_TAG, WEBHOOK_SET, EXAMPLE_VERSION("model") EXAMPLE_KEY_VALUE},
	{WEBHOOK_MODEL_VERSION_TAG, WEBHOOK_DELETED, EXAMPLE_VERSION("model") EXAMPLE_KEY},
	{WEBHOOK_MODEL_VERSION_ALIAS, WEBHOOK_CREATED, EXAMPLE_NAME("model") EXAMPLE_ALIAS_VERSION},
	{WEBHOOK_MODEL_VERSION_ALIAS, WEBHOOK_DELETED, EXAMPLE_NAME("model") EXAMPLE_ALIAS},
	{WEBHOOK_PROMPT, WEBHOOK_CREATED,
	 "{\"name\": \"example_prompt\", \"tags\": {\"example_key\": \"example_value\"}, "
	 "\"description\": \"An example prompt\"}"},
	{WEBHOOK_PROMPT_VERSION, WEBHOOK_CREATED,
	 EXAMPLE_VERSION("prompt") "\"template\": \"Hello {{name}}!\", " EXAMPLE_TAGS("prompt")},
	{WEBHOOK_PROMPT_TAG, WEBHOOK_SET, EXAMPLE_NAME("prompt") EXAMPLE_KEY_VALUE},
	{WEBHOOK_PROMPT_TAG, WEBHOOK_DELETED, EXAMPLE_NAME("prompt") EXAMPLE_KEY},
	{WEBHOOK_PROMPT_VERSION_TAG, WEBHOOK_SET, EXAMPLE_VERSION("prompt") EXAMPLE_KEY_VALUE},
	{WEBHOOK_PROMPT_VERSION_TAG, WEBHOOK_DELETED, EXAMPLE_VERSION("prompt") EXAMPLE_KEY},
	{WEBHOOK_PROMPT_ALIAS, WEBHOOK_CREATED, EXAMPLE_NAME("prompt") EXAMPLE_ALIAS_VERSION},
	{WEBHOOK_PROMPT_ALIAS, WEBHOOK_DELETED, EXAMPLE_NAME("prompt") EXAMPLE_ALIAS},
	{WEBHOOK_BUDGET_POLICY, WEBHOOK_EXCEEDED,
	 "{\"budget_policy_id\": \"bp-abc123\", \"budget_unit\": \"USD\", \"budget_amount\": 100.0, "
	 "\"current_spend\": 105.5, \"duration_unit\": \"MONTHS\", \"duration_value\": 1, \"target_scope\": \"ENDPOINT\", "
	 "\"workspace\": \"default\", \"target_value\": \"ep-abc123\", \"window_start\": 1704067200000}"},
};

static const char *const entity_names[] = {
	[WEBHOOK_REGISTERED_MODEL] = "registered_model",
	[WEBHOOK_MODEL_VERSION] = "model_version",
	[WEBHOOK_MODEL_VERSION_TAG] = "model_version_tag",
	[WEBHOOK_MODEL_VERSION_ALIAS] = "model_version_alias",
	[WEBHOOK_PROMPT] = "prompt",
	[WEBHOOK_PROMPT_VERSION] = "prompt_version",
	[WEBHOOK_PROMPT_TAG] = "prompt_tag",
	[WEBHOOK_PROMPT_VERSION_TAG] = "prompt_version_tag",
	[WEBHOOK_PROMPT_ALIAS] = "prompt_alias",
	[WEBHOOK_BUDGET_POLICY] = "budget_policy",
};
static const char *const action_names[] = {
	[WEBHOOK_CREATED] = "created", [WEBHOOK_UPDATED] = "updated", [WEBHOOK_DELETED] = "deleted",
	[WEBHOOK_SET] = "set", [WEBHOOK_EXCEEDED] = "exceeded",
};
// clang-format on
const size_t webhook_event_kinds_count = ARRAY_COUNT(webhook_event_kinds);

const struct webhook_event_kind *webhook_event_kind_find(int64_t entity, int64_t action)
{
	for (size_t i = 0; i < webhook_event_kinds_count; i++) {
		const struct webhook_event_kind *kind = &webhook_event_kinds[i];
		if ((int64_t)kind->entity == entity && (int64_t)kind->action == action)
			return kind;
	}
	return NULL;
}

const struct webhook_event_kind *webhook_event_kind_from_names(struct slice entity,
							       struct slice action)
{
	for (size_t i = 0; i < webhook_event_kinds_count; i++) {
		const struct webhook_event_kind *kind = &webhook_event_kinds[i];
		if (slice_eq_cstr(entity, entity_names[kind->entity]) &&
		    slice_eq_cstr(action, action_names[kind->action]))
			return kind;
	}
	return NULL;
}

const char *webhook_entity_name(int64_t entity)
{
	ASSERT(entity > 0 && entity < WEBHOOK_ENTITIES_END);
	return entity_names[entity];
}

const char *webhook_action_name(int64_t action)
{
	ASSERT(action > 0 && action < WEBHOOK_ACTIONS_END);
	return action_names[action];
}

/* ---- the outbox --------------------------------------------------------------------------------- */

bool webhook_event_is_wanted(struct db *db, struct slice entity, struct slice action,
			     bool *wanted_out, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT 1 FROM webhook_events AS e JOIN webhooks AS w"
		    " ON w.webhook_pk = e.webhook_pk"
		    " WHERE e.entity = $1 AND e.action = $2 AND w.is_active <> 0 LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, entity);
	db_bind_text(st, 2, action);
	if (!db_fetch_one(st, wanted_out, err))
		return false;
	db_reset(st);
	return true;
}

static bool insert_event(struct db *db, const struct webhook_event *event, int64_t *event_pk_out,
			 struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO outbox_events (entity, action, time_ms, data)"
			       " VALUES ($1, $2, $3, $4) RETURNING event_pk"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, event->entity);
	db_bind_text(st, 2, event->action);
	db_bind_i64(st, 3, event->time_ms);
	db_bind_text(st, 4, event->data);
	if (!db_fetch_one(st, &found, err))
		return false;
	*event_pk_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

static bool insert_delivery(struct db *db, int64_t webhook_pk, int64_t event_pk, bool is_pending,
			    int64_t now_ms, struct error *err)
{
	char id[RANDOM_UUID_LEN + 1];
	struct db_statement *st =
		db_prepare(db,
			   SQL("INSERT INTO webhook_deliveries"
			       " (delivery_id, webhook_pk, event_pk, state, position, queued_ms,"
			       " next_attempt_ms) VALUES ($1, $2, $3, $4,"
			       " (SELECT coalesce(max(position), 0) + 1 FROM webhook_deliveries"
			       " WHERE webhook_pk = $2), $5, $5)"),
			   err);
	if (st == NULL)
		return false;
	/* Another one when the transaction runs once more: what the first run wrote is gone, and nobody saw it. */
	random_uuid(id);
	db_bind_text(st, 1, slice_from_cstr(id));
	db_bind_i64(st, 2, webhook_pk);
	db_bind_i64(st, 3, event_pk);
	db_bind_text(st, 4, is_pending ? SLICE("PENDING") : SLICE("FAILED"));
	db_bind_i64(st, 5, now_ms);
	return db_run(st, err) &&
	       webhook_deliveries_count_in_txn(db, webhook_pk, is_pending ? 1 : 0,
					       is_pending ? 0 : 1, err) &&
	       (is_pending || webhook_deliveries_prune_in_txn(db, webhook_pk, now_ms, err));
}

bool webhook_event_emit_in_txn(struct db *db, const struct webhook_event *event, struct error *err)
{
	int64_t event_pk = 0;
	enum db_row row;
	bool wanted = false;
	if (!webhook_event_is_wanted(db, event->entity, event->action, &wanted, err))
		return false;
	if (!wanted)
		return true;
	if (!insert_event(db, event, &event_pk, err))
		return false;
	/* Sorted by the primary key, which inserting does not touch. */
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT w.webhook_pk, w.pending_count FROM webhook_events AS e"
			       " JOIN webhooks AS w ON w.webhook_pk = e.webhook_pk"
			       " WHERE e.entity = $1 AND e.action = $2 AND w.is_active <> 0"
			       " ORDER BY w.webhook_pk"),
			   err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, event->entity);
	db_bind_text(st, 2, event->action);
	while ((row = db_step(st, err)) == DB_ROW) {
		bool is_pending = db_column_i64(st, 1) < WEBHOOK_PENDING_MAX;
		if (!insert_delivery(db, db_column_i64(st, 0), event_pk, is_pending, event->time_ms,
				     err)) {
			db_reset(st);
			return false;
		}
	}
	return row == DB_DONE;
}
