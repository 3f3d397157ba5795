/* Owns the check of a version against the requirements of its model. */
#include "api/promotion_check.h"

#include "api/version_facts.h"
#include "store/model_rules.h"
#include "store/registry_history.h"

/* The version that holds an alias, looked up once. */
struct holder {
	struct slice alias;
	int64_t version; /* 0: nobody */
	const struct version_facts *facts_or_null;
};

struct review {
	struct db *tracker;
	struct model_pk pk;
	struct slice name;
	struct arena *arena;
	struct requirement *requirements;
	size_t count;
	struct version_facts facts;
	struct holder *holders; /* room for one a requirement */
	size_t holder_count;
};

static bool read_requirements(struct review *review, struct error *err);
static enum version_files needed_files(const struct review *review, struct slice alias_or_absent);
static bool find_holder(struct review *review, struct slice alias, const struct holder **out,
			struct error *err);
static bool check_one(struct review *review, const struct requirement *requirement,
		      struct requirement_check *out, struct error *err);

bool promotion_check(struct db *tracker, struct model_pk pk, struct slice name, int64_t version,
		     struct slice alias, struct arena *arena, struct promotion_checks *out,
		     struct error *err)
{
	struct review review = {.tracker = tracker, .pk = pk, .name = name, .arena = arena};
	struct registry_alias_event last;
	if (!read_requirements(&review, err) ||
	    !registry_alias_event_load(tracker, pk, alias, arena, &last, err) ||
	    !version_facts_load(tracker, name, version, needed_files(&review, (struct slice){0}),
				arena, &review.facts, err))
		return false;
	struct promotion_checks checks = {
		.items = ARENA_NEW(arena, struct requirement_check, review.count + 1),
		.count = review.count,
		.holder = last.version};
	for (size_t i = 0; i < review.count; i++) {
		if (!check_one(&review, &review.requirements[i], &checks.items[i], err))
			return false;
		checks.failed_count += !checks.items[i].ok;
	}
	*out = checks;
	return true;
}

static enum version_files files_of(const struct requirement *requirement)
{
	if (requirement->kind == REQUIREMENT_DIGEST)
		return VERSION_FILES_LISTED;
	return requirement->kind == REQUIREMENT_SIZE || requirement->kind == REQUIREMENT_FILES
		       ? VERSION_FILES_SUMS
		       : VERSION_FILES_NONE;
}

static bool read_requirements(struct review *review, struct error *err)
{
	struct model_rules rules;
	if (!model_rules_load(review->tracker, review->pk, review->arena, &rules, err))
		return false;
	review->count = rules.requirement_count;
	review->requirements = ARENA_NEW(review->arena, struct requirement, review->count + 1);
	review->holders = ARENA_NEW(review->arena, struct holder, review->count + 1);
	for (size_t i = 0; i < review->count; i++) {
		if (!requirement_parse(rules.requirements[i], review->arena,
				       &review->requirements[i], err))
			return error_prefix(err, "a requirement that is kept cannot be read");
	}
	return true;
}

/* What the requirements ask of a version's files; of this alias' holder, unless it is absent. */
static enum version_files needed_files(const struct review *review, struct slice alias_or_absent)
{
	enum version_files needed = VERSION_FILES_NONE;
	for (size_t i = 0; i < review->count; i++) {
		const struct requirement *r = &review->requirements[i];
		bool counts =
			!slice_is_present(alias_or_absent) || slice_eq(r->alias, alias_or_absent);
		if (counts && files_of(r) > needed)
			needed = files_of(r);
	}
	return needed;
}

static bool find_holder(struct review *review, struct slice alias, const struct holder **out,
			struct error *err)
{
	struct registry_alias_event last;
	for (size_t i = 0; i < review->holder_count; i++) {
		*out = &review->holders[i];
		if (slice_eq(review->holders[i].alias, alias))
			return true;
	}
	if (!registry_alias_event_load(review->tracker, review->pk, alias, review->arena, &last,
				       err))
		return false;
	struct holder *holder = &review->holders[review->holder_count++];
	*holder = (struct holder){.alias = alias, .version = last.version};
	*out = holder;
	if (holder->version == 0)
		return true;
	struct version_facts *facts = ARENA_NEW(review->arena, struct version_facts, 1);
	holder->facts_or_null = facts;
	return version_facts_load(review->tracker, review->name, holder->version,
				  needed_files(review, alias), review->arena, facts, err);
}

static bool check_one(struct review *review, const struct requirement *requirement,
		      struct requirement_check *out, struct error *err)
{
	struct requirement_figure figure =
		version_facts_figure(&review->facts, requirement, review->arena);
	struct requirement_figure held;
	const struct holder *holder = NULL;
	if (slice_is_present(requirement->alias) &&
	    !find_holder(review, requirement->alias, &holder, err))
		return false;
	bool has_holder = holder != NULL && holder->facts_or_null != NULL;
	if (has_holder)
		held = version_facts_figure(holder->facts_or_null, requirement, review->arena);
	requirement_check(requirement, &figure, has_holder ? &held : NULL,
			  has_holder ? holder->version : 0, review->arena, out);
	return true;
}

void promotion_checks_json(struct json_writer *w, const struct promotion_checks *checks)
{
	json_key(w, "checks");
	json_array_begin(w);
	for (size_t i = 0; i < checks->count; i++) {
		const struct requirement_check *c = &checks->items[i];
		json_object_begin(w);
		json_put_string(w, "requirement", c->requirement);
		json_put_bool(w, "ok", c->ok);
		json_put_string(w, "origin", slice_or_empty(slice_from_cstr(c->origin)));
		json_put_string(w, "value", c->value);
		json_put_string(w, "limit", c->limit);
		json_put_string(w, "unheld_alias", c->unheld_alias);
		json_put_string(w, "text", c->text);
		json_object_end(w);
	}
	json_array_end(w);
}
