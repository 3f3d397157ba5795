/* Owns the checks of the registry's history. */
#include "store/registry_verify.h"

#include <inttypes.h>

#include "store/model_rules.h"
#include "store/model_versions.h"
#include "store/models.h"
#include "store/registry_log.h"
#include "store/registry_state.h"

static void tell(struct registry_problem_list *problems, struct arena *arena, int64_t seq,
		 struct slice text)
{
	if (problems->count > REGISTRY_PROBLEMS_MAX)
		return;
	if (problems->count == REGISTRY_PROBLEMS_MAX)
		text = SLICE("there are more problems than are told");
	problems->items =
		arena_list_room(arena, problems->items, problems->count, sizeof(*problems->items));
	problems->items[problems->count++] = (struct registry_problem){seq, text};
}

/* ---- the chain ---------------------------------------------------------------------------------- */

static struct slice missing_text(struct arena *arena, int64_t first, int64_t last)
{
	if (first == last)
		return arena_printf(arena, "event %" PRId64 " is missing", first);
	return arena_printf(arena, "events %" PRId64 " to %" PRId64 " are missing", first, last);
}

/* The row after what out->last_… says; a row after a gap cannot be compared, since what it continues is not there. */
static void check_row(const struct registry_event_row *row,
		      const unsigned char sha256[SHA256_BYTES], int64_t last_ms,
		      struct arena *arena, struct registry_check_result *out)
{
	if (row->event_seq != out->last_seq + 1)
		tell(&out->problems, arena, row->event_seq,
		     missing_text(arena, out->last_seq + 1, row->event_seq - 1));
	else if (memcmp(sha256, row->sha256, SHA256_BYTES) != 0)
		tell(&out->problems, arena, row->event_seq,
		     arena_printf(arena,
				  "the digest of event %" PRId64
				  " fits neither its content nor the event before it: one of "
				  "them was changed",
				  row->event_seq));
	else if (row->time_ms < last_ms)
		tell(&out->problems, arena, row->event_seq,
		     arena_printf(arena, "event %" PRId64 " is older than the one before it",
				  row->event_seq));
}

static void check_head(struct arena *arena, struct registry_check_result *out)
{
	const struct registry_head *head = &out->head;
	if (head->event_seq > out->last_seq)
		tell(&out->problems, arena, head->event_seq,
		     arena_printf(
			     arena, "%.*s at the end",
			     SLICE_FMT(missing_text(arena, out->last_seq + 1, head->event_seq))));
	else if (head->event_seq < out->last_seq)
		tell(&out->problems, arena, head->event_seq,
		     arena_printf(arena,
				  "the end of the chain was noted as event %" PRId64
				  ", but there are events up to %" PRId64,
				  head->event_seq, out->last_seq));
	else if (memcmp(head->sha256, out->last_sha256, SHA256_BYTES) != 0)
		tell(&out->problems, arena, head->event_seq,
		     SLICE("the digest that was noted as the end of the chain is not the one of "
			   "its last event"));
}

static bool check_rows(const struct registry_event_list *rows, const struct registry_check *check,
		       int64_t *last_ms, struct arena *arena, struct registry_check_result *out,
		       struct error *err)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct registry_event_row *row = &rows->items[i];
		struct digest hash = {NULL};
		unsigned char sha256[SHA256_BYTES];
		/* Telling takes memory of the arena, which may jump: the digest is let go before. */
		if (!digest_init(&hash, err))
			return false;
		registry_event_digest(&hash, out->last_sha256, row, sha256);
		digest_deinit(&hash);
		check_row(row, sha256, *last_ms, arena, out);
		*last_ms = row->time_ms;
		out->last_seq = row->event_seq;
		memcpy(out->last_sha256, row->sha256, SHA256_BYTES);
		if (check->expected_or_null != NULL &&
		    memcmp(check->expected_or_null, row->sha256, SHA256_BYTES) == 0)
			out->expected_seq = row->event_seq;
	}
	out->checked_count += rows->count;
	return true;
}

/* Rows may be large: not many of them are in memory at once. */
enum { BATCH_ROWS_MAX = 50 };

static bool check_batch(struct db *db, const struct registry_check *check, int64_t *last_ms,
			struct arena *arena, struct registry_check_result *out, size_t *count_out,
			struct error *err)
{
	size_t rest = check->rows_max - out->checked_count, problems = out->problems.count;
	const struct registry_log_query query = {
		.first_seq = out->last_seq + 1,
		.last_seq = INT64_MAX,
		.rows_max = rest < BATCH_ROWS_MAX ? rest : BATCH_ROWS_MAX,
	};
	struct registry_event_list rows;
	struct arena_mark mark = arena_mark(arena);
	if (!registry_log_load(db, &query, arena, &rows, err) ||
	    !check_rows(&rows, check, last_ms, arena, out, err))
		return false;
	*count_out = rows.count;
	if (out->problems.count == problems)
		arena_rewind(arena, mark);
	return true;
}

bool registry_check_chain(struct db *db, const struct registry_check *check, struct arena *arena,
			  struct registry_check_result *out, struct error *err)
{
	struct registry_check_result result = {.last_seq = check->after_seq};
	size_t count = 1;
	int64_t last_ms = 0;
	memcpy(result.last_sha256, check->after_sha256, SHA256_BYTES);
	if (!registry_head_load(db, &result.head, err))
		return false;
	while (count > 0 && result.checked_count < check->rows_max) {
		if (!check_batch(db, check, &last_ms, arena, &result, &count, err))
			return false;
	}
	if (count == 0)
		check_head(arena, &result);
	*out = result;
	return true;
}

/* ---- models ------------------------------------------------------------------------------------- */

struct comparison {
	struct db *db;
	struct arena *arena;
	struct registry_problem_list *problems;
	struct slice name;   /* of the model, bounded for sentences */
	const char *subject; /* "model 'm'", "version 3 of model 'm'" */
};

static const char *quoted(const struct comparison *c, struct slice text)
{
	char *place = ARENA_NEW(c->arena, char, 100);
	return error_quote(text, place, 100);
}

static void compare_text(const struct comparison *c, const char *what, struct slice now,
			 struct slice told)
{
	if (slice_eq(now, told))
		return;
	tell(c->problems, c->arena, 0,
	     arena_printf(c->arena, "the %s of %s is '%s', but its history says '%s'", what,
			  c->subject, quoted(c, now), quoted(c, told)));
}

static void compare_tag(const struct comparison *c, const struct key_value *now_or_null,
			const struct key_value *told_or_null)
{
	const struct key_value *any = now_or_null != NULL ? now_or_null : told_or_null;
	const char *what =
		arena_cstr(c->arena, arena_printf(c->arena, "tag '%s'", quoted(c, any->key)));
	if (now_or_null != NULL && told_or_null != NULL)
		compare_text(c, what, now_or_null->value, told_or_null->value);
	else
		tell(c->problems, c->arena, 0,
		     arena_printf(c->arena,
				  "the %s of %s is %s, but its history says that it is %s", what,
				  c->subject, now_or_null != NULL ? "there" : "gone",
				  now_or_null != NULL ? "gone" : "there"));
}

/* Both in order of key. */
static void compare_tags(const struct comparison *c, struct key_value_list now,
			 struct key_value_list told)
{
	size_t i = 0, k = 0;
	while (i < now.count || k < told.count) {
		int order = i == now.count    ? 1
			    : k == told.count ? -1
					      : slice_compare(now.items[i].key, told.items[k].key);
		compare_tag(c, order <= 0 ? &now.items[i] : NULL,
			    order >= 0 ? &told.items[k] : NULL);
		i += order <= 0;
		k += order >= 0;
	}
}

static bool compare_version(struct comparison *c, struct model_pk pk, int64_t number,
			    const struct model_version *told_or_null, struct error *err)
{
	struct model_version now;
	c->subject =
		arena_cstr(c->arena, arena_printf(c->arena, "version %" PRId64 " of model '%s'",
						  number, quoted(c, c->name)));
	if (told_or_null == NULL) {
		tell(c->problems, c->arena, 0,
		     arena_printf(c->arena, "%s is there, but not in its history", c->subject));
		return true;
	}
	if (!model_version_load_by_pk(c->db, pk, number, c->arena, &now, err))
		return false;
	compare_text(c, "description", now.description, told_or_null->description);
	compare_text(c, "stage", now.stage, told_or_null->stage);
	compare_text(c, "source", now.source, told_or_null->source);
	compare_text(c, "place", now.storage_location, told_or_null->storage_location);
	compare_text(c, "run", now.run_id, told_or_null->run_id);
	compare_tags(c, now.tags, told_or_null->tags);
	return true;
}

static bool compare_versions(struct comparison *c, struct model_pk pk,
			     const struct model_version_list *told, struct error *err)
{
	struct version_list now;
	size_t k = 0;
	if (!model_versions_list(c->db, pk, (struct slice){0}, c->arena, &now, err))
		return false;
	for (size_t i = 0; i <= now.count; i++) {
		int64_t number = i < now.count ? now.items[i] : INT64_MAX;
		for (; k < told->count && told->items[k].version < number; k++)
			tell(c->problems, c->arena, 0,
			     arena_printf(c->arena,
					  "version %" PRId64 " of model '%s' is gone, but its "
					  "history says that it is there",
					  told->items[k].version, quoted(c, c->name)));
		if (i == now.count)
			break;
		bool is_told = k < told->count && told->items[k].version == number;
		if (!compare_version(c, pk, number, is_told ? &told->items[k] : NULL, err))
			return false;
		k += is_told;
	}
	return true;
}

static struct slice place_of(const struct comparison *c, const struct model_alias *alias_or_null)
{
	return alias_or_null == NULL
		       ? SLICE("nowhere")
		       : arena_printf(c->arena, "version %" PRId64, alias_or_null->version);
}

static void compare_aliases(const struct comparison *c, const struct model_alias_list *now,
			    const struct model_alias_list *told)
{
	size_t i = 0, k = 0;
	while (i < now->count || k < told->count) {
		int order = i == now->count ? 1
			    : k == told->count
				    ? -1
				    : slice_compare(now->items[i].alias, told->items[k].alias);
		const struct model_alias *here = order <= 0 ? &now->items[i++] : NULL;
		const struct model_alias *there = order >= 0 ? &told->items[k++] : NULL;
		if (here != NULL && there != NULL && here->version == there->version)
			continue;
		tell(c->problems, c->arena, 0,
		     arena_printf(
			     c->arena,
			     "alias '%s' of model '%s' points to %.*s, but its history says to "
			     "%.*s",
			     quoted(c, here != NULL ? here->alias : there->alias),
			     quoted(c, c->name), SLICE_FMT(place_of(c, here)),
			     SLICE_FMT(place_of(c, there))));
	}
}

static bool compare_rules(const struct comparison *c, struct model_pk pk,
			  struct slice told_or_absent, struct error *err)
{
	const struct model_rules none = {0};
	struct model_rules now;
	if (!model_rules_load(c->db, pk, c->arena, &now, err))
		return false;
	compare_text(c, "rules", model_rules_json(&now, c->arena),
		     slice_is_present(told_or_absent) ? told_or_absent
						      : model_rules_json(&none, c->arena));
	return true;
}

static bool compare_model(struct comparison *c, struct model_pk pk, int64_t model_seq,
			  int64_t head_seq, struct error *err)
{
	struct registered_model now;
	struct registry_state told;
	bool found = false;
	if (!model_load(c->db, pk, c->arena, &now, err))
		return false;
	c->name = now.name;
	if (model_seq != 0 &&
	    !registry_state_load(c->db, model_seq, head_seq, c->arena, &told, &found, err))
		return false;
	c->subject = arena_cstr(c->arena, arena_printf(c->arena, "model '%s'", quoted(c, c->name)));
	if (!found) {
		tell(c->problems, c->arena, 0,
		     arena_printf(c->arena, "%s is there, but not in the history", c->subject));
		return true;
	}
	compare_text(c, "name", now.name, told.model.name);
	compare_text(c, "description", now.description, told.model.description);
	compare_tags(c, now.tags, told.model.tags);
	compare_aliases(c, &now.aliases, &told.model.aliases);
	return compare_rules(c, pk, told.rules, err) &&
	       compare_versions(c, pk, &told.versions, err);
}

/* Models that are there in the history only. */
static bool find_lost_models(struct comparison *c, struct error *err)
{
	struct db_statement *st = db_prepare(
		c->db,
		SQL("SELECT e.model FROM registry_events AS b JOIN registry_events AS e ON"
		    " e.event_seq = (SELECT max(event_seq) FROM registry_events WHERE model_seq ="
		    " b.event_seq AND version = 0 AND part = 0 AND key = '')"
		    " WHERE b.version = 0 AND b.part <= 1 AND b.event_seq = b.model_seq"
		    " AND e.after_json IS NOT NULL AND NOT EXISTS (SELECT 1 FROM registered_models"
		    " WHERE model_seq = b.event_seq AND model_seq <> 0)"),
		err);
	enum db_row row;
	if (st == NULL)
		return false;
	while ((row = db_step(st, err)) == DB_ROW)
		tell(c->problems, c->arena, 0,
		     arena_printf(c->arena,
				  "model '%s' is gone, but the history says that it is there",
				  quoted(c, db_column_text(st, 0))));
	return row == DB_DONE;
}

/* The next model after *pk. */
static bool next_model(struct db *db, int64_t *pk, int64_t *model_seq, bool *found,
		       struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT model_pk, model_seq FROM registered_models WHERE model_pk > $1"
		    " ORDER BY model_pk LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, *pk);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found) {
		*pk = db_column_i64(st, 0);
		*model_seq = db_column_i64(st, 1);
	}
	db_reset(st);
	return true;
}

bool registry_check_models(struct db *db, int64_t after_pk, size_t models_max, struct arena *arena,
			   size_t *checked_out, int64_t *last_pk_out,
			   struct registry_problem_list *problems, struct error *err)
{
	struct comparison c = {.db = db, .arena = arena, .problems = problems};
	struct registry_head head;
	int64_t pk = after_pk, model_seq = 0;
	bool found = true;
	*problems = (struct registry_problem_list){0};
	if (!registry_head_load(db, &head, err))
		return false;
	for (size_t i = 0; i < models_max; i++) {
		if (!next_model(db, &pk, &model_seq, &found, err))
			return false;
		if (!found) {
			*checked_out = i;
			*last_pk_out = 0;
			return find_lost_models(&c, err);
		}
		if (!compare_model(&c, (struct model_pk){pk}, model_seq, head.event_seq, err))
			return false;
	}
	*checked_out = models_max;
	*last_pk_out = pk;
	return true;
}
