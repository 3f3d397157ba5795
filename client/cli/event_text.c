/* Owns the words for what happened: events of the registry, and what live events tell. */
#include "cli/event_text.h"

static struct slice alias_sentence(struct arena *arena, const struct json_value *event,
				   struct slice verb);
static struct slice subject_sentence(struct arena *arena, const struct json_value *event,
				     struct slice verb);
static struct slice model_line(struct arena *arena, const struct json_value *event);
static struct slice deployment_line(struct arena *arena, const struct json_value *deployment);
static struct slice change_line(struct arena *arena, const struct json_value *change);

struct slice event_text_model(struct arena *arena, const struct json_value *event)
{
	struct slice verb = json_text(event, "kind"), noun;
	(void)slice_next(&verb, '.', &noun);
	return slice_eq(noun, SLICE("alias")) ? alias_sentence(arena, event, verb)
					      : subject_sentence(arena, event, verb);
}

struct slice event_text_live(struct arena *arena, struct slice type, const struct json_value *data)
{
	if (slice_eq(type, SLICE("model")))
		return model_line(arena, data);
	if (slice_eq(type, SLICE("deployment")))
		return deployment_line(arena, data);
	if (slice_eq(type, SLICE("reset")))
		return arena_printf(
			arena, "read again: %.*s",
			SLICE_FMT(event_text_list(arena, json_tree_get(data, "topics"))));
	return change_line(arena, data);
}

struct slice event_text_list(struct arena *arena, const struct json_value *texts)
{
	struct slice joined = SLICE("");
	const struct json_value *item = json_items(texts);
	for (; item != NULL; item = item->next_sibling_or_null)
		joined = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(joined),
				      joined.len > 0 ? ", " : "", SLICE_FMT(item->text));
	return joined;
}

/* ---- events of the registry --------------------------------------------------------------------- */

static struct slice state_text(const struct json_value *event, const char *when, const char *name)
{
	return json_text(json_tree_get(event, when), name);
}

/* "champion → v4, was v3". */
static struct slice alias_sentence(struct arena *arena, const struct json_value *event,
				   struct slice verb)
{
	struct slice alias = json_text(event, "alias");
	struct slice before = state_text(event, "before", "version");
	struct slice after = state_text(event, "after", "version");
	bool is_forced = json_tree_bool(json_tree_path(event, "detail.forced"), false);
	const char *how = is_forced				 ? " (forced)"
			  : slice_eq(verb, SLICE("promoted"))	 ? " (promoted)"
			  : slice_eq(verb, SLICE("rolled_back")) ? " (rolled back)"
								 : "";
	if (after.len == 0)
		return arena_printf(arena, "%.*s deleted, was v%.*s", SLICE_FMT(alias),
				    SLICE_FMT(before));
	if (before.len == 0)
		return arena_printf(arena, "%.*s → v%.*s%s", SLICE_FMT(alias), SLICE_FMT(after),
				    how);
	return arena_printf(arena, "%.*s → v%.*s, was v%.*s%s", SLICE_FMT(alias), SLICE_FMT(after),
			    SLICE_FMT(before), how);
}

/* What happened to a version, or to the model itself. */
static struct slice subject_sentence(struct arena *arena, const struct json_value *event,
				     struct slice verb)
{
	struct slice version = json_text(event, "version"), key = json_text(event, "key");
	struct slice subject =
		version.len > 0 ? arena_printf(arena, "v%.*s", SLICE_FMT(version)) : SLICE("model");
	if (slice_eq(verb, SLICE("tag_set")))
		return arena_printf(arena, "%.*s: tag %.*s = %.*s", SLICE_FMT(subject),
				    SLICE_FMT(key), SLICE_FMT(state_text(event, "after", "value")));
	if (slice_eq(verb, SLICE("tag_deleted")))
		return arena_printf(arena, "%.*s: tag %.*s deleted", SLICE_FMT(subject),
				    SLICE_FMT(key));
	if (slice_eq(verb, SLICE("stage_moved")))
		return arena_printf(arena, "%.*s: stage %.*s → %.*s", SLICE_FMT(subject),
				    SLICE_FMT(state_text(event, "before", "stage")),
				    SLICE_FMT(state_text(event, "after", "stage")));
	if (slice_eq(verb, SLICE("renamed")))
		return arena_printf(arena, "model renamed, was %.*s",
				    SLICE_FMT(state_text(event, "before", "name")));
	if (slice_eq(verb, SLICE("rules_set")))
		return SLICE("rules set");
	if (slice_eq(verb, SLICE("replaced")))
		return arena_printf(arena, "%.*s: files it needs were replaced",
				    SLICE_FMT(subject));
	if (slice_eq(verb, SLICE("forced")))
		return arena_printf(
			arena, "%.*s: what it needs was %s by force", SLICE_FMT(subject),
			json_tree_path(event, "detail.replaced") != NULL ? "replaced" : "deleted");
	return arena_printf(arena, "%.*s %.*s", SLICE_FMT(subject), SLICE_FMT(verb));
}

/* ---- live events -------------------------------------------------------------------------------- */

/* "taxi: champion → v8, was v7 (forced); ana: the old one fails on Sundays" */
static struct slice model_line(struct arena *arena, const struct json_value *event)
{
	struct slice actor = json_text(event, "actor"), reason = json_text(event, "reason");
	return arena_printf(arena, "%.*s: %.*s%s%.*s%s%.*s", SLICE_FMT(json_text(event, "model")),
			    SLICE_FMT(event_text_model(arena, event)),
			    actor.len + reason.len > 0 ? "; " : "", SLICE_FMT(actor),
			    actor.len > 0 && reason.len > 0 ? ": " : "", SLICE_FMT(reason));
}

/* "prod/dispatch: taxi v5 active" */
static struct slice deployment_line(struct arena *arena, const struct json_value *deployment)
{
	struct slice environment = json_text(deployment, "environment");
	struct slice version = json_text(deployment, "version");
	struct slice reason = json_text(deployment, "reason");
	return arena_printf(arena, "%.*s%s%.*s: %.*s%s%.*s %.*s%s%.*s", SLICE_FMT(environment),
			    environment.len > 0 ? "/" : "",
			    SLICE_FMT(json_text(deployment, "target")),
			    SLICE_FMT(json_text(deployment, "model")), version.len > 0 ? " v" : "",
			    SLICE_FMT(version), SLICE_FMT(json_text(deployment, "state")),
			    reason.len > 0 ? "; " : "", SLICE_FMT(reason));
}

/* "3a6ace0c…: metrics, status; FINISHED" of a run, or "3: name" of an experiment. */
static struct slice change_line(struct arena *arena, const struct json_value *change)
{
	struct slice run_id = json_text(change, "run_id"), status = json_text(change, "status");
	return arena_printf(arena, "%.*s: %.*s%s%.*s",
			    SLICE_FMT(run_id.len > 0 ? run_id : json_text(change, "experiment_id")),
			    SLICE_FMT(event_text_list(arena, json_tree_get(change, "what"))),
			    status.len > 0 ? "; " : "", SLICE_FMT(status));
}
