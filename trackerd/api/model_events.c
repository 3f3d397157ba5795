/* Owns the way of a change of the registry into its history and to webhooks. */
#include "api/model_events.h"

#include "api/actor.h"
#include "api/live_notes.h"
#include "store/key_values.h"
#include "store/registry_events.h"
#include "store/registry_json.h"

/* What MLflow's webhooks hear of a kind; kinds without an action: nothing. */
struct told {
	enum registry_subject subject;
	enum webhook_action action;
};

// clang-format off
static const struct told told_of[REGISTRY_KINDS_END] = {
	[REGISTRY_MODEL_CREATED] =       {REGISTRY_MODEL,       WEBHOOK_CREATED},
	[REGISTRY_MODEL_TAG_SET] =       {REGISTRY_MODEL_TAG,   WEBHOOK_SET},
	[REGISTRY_MODEL_TAG_DELETED] =   {REGISTRY_MODEL_TAG,   WEBHOOK_DELETED},
	[REGISTRY_VERSION_CREATED] =     {REGISTRY_VERSION,     WEBHOOK_CREATED},
	[REGISTRY_VERSION_TAG_SET] =     {REGISTRY_VERSION_TAG, WEBHOOK_SET},
	[REGISTRY_VERSION_TAG_DELETED] = {REGISTRY_VERSION_TAG, WEBHOOK_DELETED},
	[REGISTRY_ALIAS_SET] =           {REGISTRY_ALIAS,       WEBHOOK_CREATED},
	[REGISTRY_ALIAS_PROMOTED] =      {REGISTRY_ALIAS,       WEBHOOK_CREATED},
	[REGISTRY_ALIAS_ROLLED_BACK] =   {REGISTRY_ALIAS,       WEBHOOK_CREATED},
	[REGISTRY_ALIAS_DELETED] =       {REGISTRY_ALIAS,       WEBHOOK_DELETED},
};
// clang-format on

/* ---- history ------------------------------------------------------------------------------------ */

static bool is_no_change(const struct model_change *change)
{
	switch (registry_kind_part(change->kind)) {
	case REGISTRY_PART_LIFE:
	case REGISTRY_PART_GUARD:
		return false;
	case REGISTRY_PART_ALIAS:
		return change->before_version == change->after_version;
	case REGISTRY_PART_NAME:
	case REGISTRY_PART_DESCRIPTION:
	case REGISTRY_PART_STAGE:
	case REGISTRY_PART_TAG:
	case REGISTRY_PART_RULES:
		break;
	}
	return slice_is_present(change->before) == slice_is_present(change->after) &&
	       slice_eq(change->before, change->after);
}

static struct slice whole_state(const struct model_change *change, struct arena *arena)
{
	if (change->version_or_null != NULL)
		return registry_json_version(arena, change->version_or_null);
	ASSERT(change->model_or_null != NULL);
	return registry_json_model(arena, change->model_or_null);
}

static void fill_states(const struct model_change *change, struct arena *arena,
			struct registry_change *out)
{
	static const char *const names[] = {
		[REGISTRY_PART_NAME] = "name",
		[REGISTRY_PART_DESCRIPTION] = "description",
		[REGISTRY_PART_STAGE] = "stage",
		[REGISTRY_PART_TAG] = "value",
	};
	enum registry_part part = registry_kind_part(change->kind);
	switch (part) {
	case REGISTRY_PART_LIFE:
		if (change->kind == REGISTRY_MODEL_DELETED ||
		    change->kind == REGISTRY_VERSION_DELETED)
			out->before = whole_state(change, arena);
		else
			out->after = whole_state(change, arena);
		break;
	case REGISTRY_PART_NAME:
	case REGISTRY_PART_DESCRIPTION:
	case REGISTRY_PART_STAGE:
	case REGISTRY_PART_TAG:
		out->before = registry_json_text(arena, names[part], change->before);
		out->after = registry_json_text(arena, names[part], change->after);
		break;
	case REGISTRY_PART_ALIAS:
		out->before = registry_json_alias(arena, change->before_version);
		out->after = registry_json_alias(arena, change->after_version);
		out->alias_version =
			change->after_version != 0 ? change->after_version : change->before_version;
		break;
	case REGISTRY_PART_RULES:
		out->before = change->before;
		out->after = change->after;
		break;
	case REGISTRY_PART_GUARD:
		break;
	}
}

/* The user that what is made names itself, as MLflow's clients tag it; whoever deletes it may be another one. */
static struct slice own_user(const struct model_change *change)
{
	const struct key_value_list none = {0};
	struct key_value_list tags = change->version_or_null != NULL ? change->version_or_null->tags
				     : change->model_or_null != NULL ? change->model_or_null->tags
								     : none;
	const struct key_value *tag_or_null = key_values_find(tags, SLICE("mlflow.user"));
	bool is_made =
		change->kind == REGISTRY_MODEL_CREATED || change->kind == REGISTRY_VERSION_CREATED;
	if (slice_is_present(change->actor) || !is_made)
		return change->actor;
	return tag_or_null != NULL ? tag_or_null->value : (struct slice){0};
}

static bool record(struct call *call, struct db *tracker, struct model_change *change,
		   struct error *err)
{
	struct registry_change recorded = {.kind = change->kind,
					   .model_pk = change->model_pk,
					   .model = change->name,
					   .version = change->version,
					   .key = change->key,
					   .reason = change->reason,
					   .detail = change->detail,
					   .now_ms = call->now_ms};
	fill_states(change, call->arena, &recorded);
	if (!actor_of_request(call->http, own_user(change), call->arena, &recorded.author, err) ||
	    !registry_record_in_txn(tracker, &recorded, &change->seq, err))
		return false;
	call_tell_model(call, change->name);
	if (change->kind == REGISTRY_MODEL_RENAMED)
		call_tell_model(call, change->before);
	return true;
}

/* ---- webhooks ----------------------------------------------------------------------------------- */

static bool tell(struct call *call, struct db *tracker, const struct model_change *change,
		 struct error *err)
{
	const struct told *told = &told_of[change->kind];
	struct registry_event event = {.subject = told->subject,
				       .action = told->action,
				       .name = change->name,
				       .version = change->version,
				       .key = change->key,
				       .value = change->after,
				       .alias = change->key,
				       .time_ms = call->now_ms};
	bool wakes = false;
	if (told->action == 0 || change->is_part)
		return true;
	if (told->subject == REGISTRY_ALIAS)
		event.version = change->after_version;
	if (change->model_or_null != NULL) {
		event.description = change->model_or_null->description;
		event.tags = change->model_or_null->tags;
	}
	if (change->version_or_null != NULL) {
		event.description = change->version_or_null->description;
		event.source = change->version_or_null->source;
		event.run_id = change->version_or_null->run_id;
		event.tags = change->version_or_null->tags;
	}
	if (!registry_event_emit_in_txn(tracker, &event, call->arena, &wakes, err))
		return false;
	call->wakes_webhooks = call->wakes_webhooks || wakes;
	return true;
}

bool model_change(struct call *call, struct db *tracker, struct model_change *change,
		  struct error *err)
{
	change->seq = 0;
	return (is_no_change(change) || record(call, tracker, change, err)) &&
	       tell(call, tracker, change, err);
}

bool model_changes_aliases_gone(struct call *call, struct db *tracker, struct model_pk pk,
				struct slice name, const struct model_alias_list *aliases,
				struct error *err)
{
	for (size_t i = 0; i < aliases->count; i++) {
		struct model_change change = {.kind = REGISTRY_ALIAS_DELETED,
					      .model_pk = pk,
					      .name = name,
					      .key = aliases->items[i].alias,
					      .before_version = aliases->items[i].version,
					      .is_part = true};
		if (!model_change(call, tracker, &change, err))
			return false;
	}
	return true;
}

bool model_changes_tags_added(struct call *call, struct db *tracker, struct model_pk pk,
			      struct slice name, int64_t version_or_0,
			      const struct key_value_list *tags, struct error *err)
{
	for (size_t i = 0; i < tags->count; i++) {
		struct model_change change = {.kind = version_or_0 != 0 ? REGISTRY_VERSION_TAG_SET
									: REGISTRY_MODEL_TAG_SET,
					      .model_pk = pk,
					      .name = name,
					      .version = version_or_0,
					      .key = tags->items[i].key,
					      .after = slice_or_empty(tags->items[i].value),
					      .is_part = true};
		if (!model_change(call, tracker, &change, err))
			return false;
	}
	return true;
}
