/* Owns the refusal of deletions and writes that would take something from a model version. */
#include "api/deletion_guard.h"

#include <inttypes.h>

#include "api/model_events.h"
#include "artifacts/artifact_path.h"
#include "http/target.h"
#include "store/deployments.h"
#include "store/model_versions.h"
#include "store/registry_json.h"

/* So that a sentence about three versions ends with what to do. */
enum {
	NAME_BYTES_SHOWN = 100,
	ALIAS_BYTES_SHOWN = 40,
	ALIASES_NAMED_MAX = 3,
	PATH_BYTES_SHOWN = 200
};

/* How a version loses something. */
struct way {
	const char *participle; /* "… cannot be deleted", and in the history */
	const char *forced;	/* "force=true deletes it anyway" */
};
static const struct way deleting = {"deleted", "deletes"}, replacing = {"replaced", "replaces"};

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

static bool refuse(struct db *tracker, const struct way *way, struct slice subject,
		   const struct needing_version_list *needing, struct arena *arena,
		   struct error *err)
{
	struct slice why;
	if (!deletion_guard_describe(tracker, needing, arena, &why, err))
		return false;
	return error_set(err, ERR_RESOURCE_CONFLICT,
			 "%.*s cannot be %s: %.*s; force=true %s it anyway.", SLICE_FMT(subject),
			 way->participle, SLICE_FMT(why), way->forced);
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

/* The history of the version says what was taken from it. */
static bool remember(struct call *call, struct db *tracker, enum registry_kind kind,
		     const struct way *way, struct slice subject,
		     const struct needing_version *needing, struct error *err)
{
	struct model_change change = {
		.kind = kind,
		.model_pk = {needing->model_pk},
		.name = needing->model,
		.version = needing->version,
		.detail = registry_json_text(call->arena, way->participle, subject),
	};
	return model_change(call, tracker, &change, err);
}

bool deletion_guard(struct call *call, struct db *tracker, const struct deletion *deletion,
		    struct error *err)
{
	struct needing_version_list needing;
	bool forced;
	if (!version_needs_find(tracker, &deletion->needed, call->arena, &needing, err) ||
	    !is_forced(call, deletion->force, &forced, err))
		return false;
	if (needing.count > 0 && !forced)
		return refuse(tracker, &deleting, deletion->subject, &needing, call->arena, err);
	for (size_t i = 0; i < needing.count; i++) {
		if (!remember(call, tracker, REGISTRY_GUARD_FORCED, &deleting, deletion->subject,
			      &needing.items[i], err))
			return false;
	}
	return true;
}

/* ---- writes ------------------------------------------------------------------------------------- */

/* "'1/…/MLmodel'", "'1/…/MLmodel' (one of 3 files)"; absent when nothing of this version is lost. */
static struct slice lost_files(const struct artifact_file_list *losses,
			       const struct needing_version *needing, struct arena *arena)
{
	const struct artifact_file *first_or_null = NULL;
	char quoted[PATH_BYTES_SHOWN];
	size_t count = 0;
	for (size_t i = losses->count; i-- > 0;) {
		if (!artifact_path_is_within(losses->items[i].path, needing->artifact_path))
			continue;
		first_or_null = &losses->items[i];
		count++;
	}
	if (first_or_null == NULL)
		return (struct slice){0};
	error_quote(first_or_null->path, quoted, sizeof(quoted));
	return count == 1 ? arena_printf(arena, "'%s'", quoted)
			  : arena_printf(arena, "'%s' (one of %zu files)", quoted, count);
}

/* By an alias, in a stage, or where it runs. */
static bool find_use(struct db *tracker, const struct needing_version *needing, struct arena *arena,
		     bool *is_used_out, struct error *err)
{
	struct model_version version;
	struct deployment_list deployments;
	if (!model_version_load_by_pk(tracker, (struct model_pk){needing->model_pk},
				      needing->version, arena, &version, err) ||
	    !deployments_of_version(tracker, needing->model, needing->version, 1, arena,
				    &deployments, err))
		return false;
	*is_used_out = version.aliases.count > 0 || deployments.count > 0 ||
		       !(slice_eq(version.stage, SLICE("None")) ||
			 slice_eq(version.stage, SLICE("Archived")));
	return true;
}

/* Once, however many files follow, until something else happens to what it needs. */
static bool remember_replaced(struct call *call, struct db *tracker, struct slice files,
			      const struct needing_version *needing, struct error *err)
{
	bool is_known;
	return registry_newest_is(tracker, (struct model_pk){needing->model_pk}, needing->version,
				  REGISTRY_GUARD_REPLACED, &is_known, err) &&
	       (is_known ||
		remember(call, tracker, REGISTRY_GUARD_REPLACED, &replacing, files, needing, err));
}

enum judgement { MAY, MAY_BY_FORCE, MUST_NOT };

/* What is removed goes by force only, from whatever version; MLflow's clients replace files, and have no force. */
static bool judge(struct db *tracker, const struct artifact_write *write, bool forced,
		  const struct needing_version *needing, struct arena *arena, enum judgement *out,
		  struct error *err)
{
	bool is_used = true;
	if (!forced && !write->replaces && !find_use(tracker, needing, arena, &is_used, err))
		return false;
	*out = forced ? MAY_BY_FORCE : is_used ? MUST_NOT : MAY;
	return true;
}

static bool guard_losses(struct call *call, struct db *tracker, const struct artifact_write *write,
			 const struct artifact_file_list *losses,
			 const struct needing_version_list *needing, bool forced, struct error *err)
{
	struct needing_version_list losing = {
		.items = ARENA_NEW(call->arena, struct needing_version, needing->count)};
	struct slice subject = {0};
	for (size_t i = 0; i < needing->count; i++) {
		const struct needing_version *item = &needing->items[i];
		struct slice files = lost_files(losses, item, call->arena);
		enum judgement judgement;
		if (!slice_is_present(files))
			continue;
		if (!judge(tracker, write, forced, item, call->arena, &judgement, err) ||
		    (judgement == MAY && !remember_replaced(call, tracker, files, item, err)) ||
		    (judgement == MAY_BY_FORCE &&
		     !remember(call, tracker, REGISTRY_GUARD_FORCED, &replacing, files, item, err)))
			return false;
		if (judgement != MUST_NOT)
			continue;
		subject = losing.count == 0 ? files : subject;
		losing.items[losing.count++] = *item;
	}
	return losing.count == 0 || refuse(tracker, &replacing, subject, &losing, call->arena, err);
}

bool deletion_guard_write(struct call *call, struct db *tracker, const struct artifact_write *write,
			  struct opt_bool force, struct error *err)
{
	const struct needed needed = {.kind = NEEDED_PATH, .id_or_path = write->base};
	struct needing_version_list needing;
	struct artifact_file_list losses;
	struct artifact_file file;
	enum artifact_kind kind;
	bool forced;
	if (!artifact_tree_find(tracker, write->base, &kind, &file, err))
		return false;
	if (kind == ARTIFACT_NONE)
		return true;
	if (!version_needs_find(tracker, &needed, call->arena, &needing, err))
		return false;
	return needing.count == 0 ||
	       (is_forced(call, force, &forced, err) &&
		artifact_losses_find(tracker, write, call->arena, &losses, err) &&
		guard_losses(call, tracker, write, &losses, &needing, forced, err));
}
