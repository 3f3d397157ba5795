/* Owns the refusal of deletions that would take something from a model version. */
#include "api/deletion_guard.h"

#include <inttypes.h>

#include "api/model_events.h"
#include "http/target.h"
#include "store/model_versions.h"
#include "store/registry_json.h"

/* So that a sentence about three versions ends with what to do. */
enum { NAME_BYTES_SHOWN = 100, ALIAS_BYTES_SHOWN = 40, ALIASES_NAMED_MAX = 3 };

/* "version 3 of model 'taxi' (champion, blue)" */
static bool describe_version(struct db *tracker, const struct needing_version *needing,
			     struct arena *arena, struct slice *out, struct error *err)
{
	struct model_pk pk = {needing->model_pk};
	struct model_version version;
	char quoted[NAME_BYTES_SHOWN];
	if (!model_version_load_by_pk(tracker, pk, needing->version, arena, &version, err))
		return false;
	struct slice text =
		arena_printf(arena, "version %" PRId64 " of model '%s'", version.version,
			     error_quote(version.name, quoted, sizeof(quoted)));
	for (size_t i = 0; i < version.aliases.count && i < ALIASES_NAMED_MAX; i++)
		text = arena_printf(
			arena, "%.*s%s%s", SLICE_FMT(text), i == 0 ? " (" : ", ",
			error_quote(version.aliases.items[i].alias, quoted, ALIAS_BYTES_SHOWN));
	*out = version.aliases.count == 0 ? text : arena_concat(arena, text, SLICE(")"));
	return true;
}

bool deletion_guard_describe(struct db *tracker, const struct needing_version_list *needing,
			     struct arena *arena, struct slice *out, struct error *err)
{
	struct slice who = SLICE(""), version;
	size_t named_count = needing->count < GUARD_VERSIONS_NAMED_MAX ? needing->count
								       : GUARD_VERSIONS_NAMED_MAX;
	size_t more_count = needing->count - named_count;
	for (size_t i = 0; i < named_count; i++) {
		bool is_last = i + 1 == named_count && more_count == 0;
		const char *comma = i == 0 ? "" : is_last ? " and " : ", ";
		if (!describe_version(tracker, &needing->items[i], arena, &version, err))
			return false;
		who = arena_printf(arena, "%.*s%s%.*s", SLICE_FMT(who), comma, SLICE_FMT(version));
	}
	if (more_count > 0)
		who = arena_printf(arena, "%.*s and %zu more", SLICE_FMT(who), more_count);
	*out = arena_printf(arena, "%.*s %s it", SLICE_FMT(who),
			    needing->count == 1 ? "needs" : "need");
	return true;
}

static bool refuse(struct call *call, struct db *tracker, const struct deletion *deletion,
		   const struct needing_version_list *needing, struct error *err)
{
	struct slice why;
	if (!deletion_guard_describe(tracker, needing, call->arena, &why, err))
		return false;
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "%.*s cannot be deleted: %.*s; force=true deletes it anyway.",
			 SLICE_FMT(deletion->subject), SLICE_FMT(why));
}

static bool is_forced(const struct call *call, struct opt_bool field, bool *is_forced_out,
		      struct error *err)
{
	struct slice query = call->http->query, name, value;
	bool forced = field.is_set && field.value, found = true;
	while (found) {
		if (!target_query_next(&query, call->arena, &name, &value, &found, err))
			return false;
		forced = forced || (found && slice_eq_cstr(name, "force") &&
				    slice_eq_ignoring_case(value, SLICE("true")));
	}
	*is_forced_out = forced;
	return true;
}

/* The history of each version says what was taken from it. */
static bool remember(struct call *call, struct db *tracker, const struct deletion *deletion,
		     const struct needing_version_list *needing, struct error *err)
{
	struct slice detail = registry_json_text(call->arena, "deleted", deletion->subject);
	for (size_t i = 0; i < needing->count; i++) {
		const struct needing_version *item = &needing->items[i];
		struct model_change change = {
			.kind = REGISTRY_GUARD_FORCED,
			.model_pk = {item->model_pk},
			.name = item->model,
			.version = item->version,
			.detail = detail,
		};
		if (!model_change(call, tracker, &change, err))
			return false;
	}
	return true;
}

bool deletion_guard(struct call *call, struct db *tracker, const struct deletion *deletion,
		    struct error *err)
{
	struct needing_version_list needing;
	bool forced;
	if (!is_forced(call, deletion->force, &forced, err) ||
	    !version_needs_find(tracker, &deletion->needed, call->arena, &needing, err))
		return false;
	return forced ? remember(call, tracker, deletion, &needing, err)
		      : needing.count == 0 || refuse(call, tracker, deletion, &needing, err);
}
