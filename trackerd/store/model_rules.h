/* The rules of a model in SQL: its requirements, and its protected aliases, which move only by a promotion. They go
 * with the model's row; a model without rules has empty lists. */
#ifndef STORE_MODEL_RULES_H
#define STORE_MODEL_RULES_H

#include "base/arena.h"
#include "base/error.h"
#include "base/json_writer.h"
#include "db/db.h"
#include "store/model_entities.h"

struct model_rules {
	struct slice *requirements; /* in canonical spelling (search/requirement.h), each once */
	size_t requirement_count;
	struct slice *protected_aliases; /* sorted, each once */
	size_t protected_count;
};

/* In the arena. */
MUST_CHECK bool model_rules_load(struct db *db, struct model_pk pk, struct arena *arena, struct model_rules *out,
				 struct error *err);
/* In place of those that are there. */
MUST_CHECK bool model_rules_put_in_txn(struct db *db, struct model_pk pk, const struct model_rules *rules,
				       struct error *err);
MUST_CHECK bool model_alias_is_protected(struct db *db, struct model_pk pk, struct slice alias, bool *is_protected_out,
					 struct error *err);
/* A protected alias that points at `version`, or at any version of the model when that is 0, and its version; an absent
 * alias when there is none. In the arena. */
MUST_CHECK bool model_protected_alias_of(struct db *db, struct model_pk pk, int64_t version, struct arena *arena,
					 struct model_alias *out, struct error *err);

/* "requirements": […], "protected_aliases": […], as members of the object at hand. */
void model_rules_json_members(struct json_writer *w, const struct model_rules *rules);
/* {…} of both, as the registry's history keeps them. In the arena. */
struct slice model_rules_json(const struct model_rules *rules, struct arena *arena);
/* The rules that model_rules_json wrote; absent: none. Texts are borrowed, or in the arena. */
MUST_CHECK bool model_rules_read_json(struct slice json_or_absent, struct arena *arena, struct model_rules *out,
				      struct error *err);

#endif
