/* Owns the state of a model at a moment, as its history tells. */
#include "store/registry_state.h"

#include "json/json_reader.h"
#include "store/registry_history.h"

/* The newest event of a subject up to a moment. */
struct subject_event {
	int64_t version, part;
	struct slice key;
	int64_t event_seq, time_ms, alias_version;
	struct slice kind, actor, reason, after;
};

struct reader {
	struct db *db;
	struct arena *arena;
	int64_t model_seq, seq;
};

/* A model or version under way: its state by its newest event of life, over which later events of its parts go. */
struct owner {
	int64_t life_seq; /* 0: it never was */
	bool is_there;
	struct model_version v; /* a model has the members of the same names, and its name */
	struct key_value_list later_tags; /* in order of key; absent values: deleted */
};

/* ---- moments ------------------------------------------------------------------------------------ */

static bool find_time(struct db *db, int64_t seq, int64_t *time_ms_out, bool *found,
		      struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("SELECT time_ms FROM registry_events WHERE event_seq = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, seq);
	if (!db_fetch_one(st, found, err))
		return false;
	if (*found)
		*time_ms_out = db_column_i64(st, 0);
	db_reset(st);
	return true;
}

/* Times never go back along the numbers, so that halving finds it; a gap, which checks tell of, counts as late. */
bool registry_seq_at(struct db *db, int64_t time_ms, int64_t *seq_out, struct error *err)
{
	struct registry_head head;
	int64_t before = 0, after;
	if (!registry_head_load(db, &head, err))
		return false;
	after = head.event_seq + 1;
	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2, middle_ms = 0;
		bool found = false;
		if (!find_time(db, middle, &middle_ms, &found, err))
			return false;
		if (found && middle_ms <= time_ms)
			before = middle;
		else
			after = middle;
	}
	*seq_out = before;
	return true;
}

bool registry_time_of(struct db *db, int64_t seq, int64_t *time_ms_out, struct error *err)
{
	bool found = false;
	return find_time(db, seq, time_ms_out, &found, err) &&
	       (found || error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				   "The registry's history has no event %lld.", (long long)seq));
}

bool registry_find_named(struct db *db, struct slice name, int64_t seq, int64_t *model_seq_out,
			 struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT model_seq FROM registry_events WHERE model = $1 AND " REGISTRY_NAMES_SQL
		    " AND event_seq <= $2 ORDER BY event_seq DESC LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_text(st, 1, name);
	db_bind_i64(st, 2, seq);
	if (!db_fetch_one(st, &found, err))
		return false;
	*model_seq_out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

bool registry_find_model(struct db *db, struct slice name, int64_t *model_seq_out,
			 struct error *err)
{
	char quoted[300];
	return registry_find_named(db, name, INT64_MAX, model_seq_out, err) &&
	       (*model_seq_out != 0 || error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
						 "No registered model was ever called '%s'.",
						 error_quote(name, quoted, sizeof(quoted))));
}

bool registry_name_now(struct db *db, struct slice name, struct arena *arena,
		       struct slice *out_or_absent, struct error *err)
{
	int64_t model_seq;
	bool found = false;
	if (!registry_find_named(db, name, INT64_MAX, &model_seq, err))
		return false;
	*out_or_absent = (struct slice){0};
	if (model_seq == 0)
		return true;
	struct db_statement *st =
		db_prepare(db, SQL("SELECT name FROM registered_models WHERE model_seq = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, model_seq);
	if (!db_fetch_one(st, &found, err))
		return false;
	if (found) {
		*out_or_absent = db_column_copy(st, 0, arena);
		db_reset(st);
	}
	return true;
}

/* ---- subjects ----------------------------------------------------------------------------------- */

/* The newest event up to the moment of each subject of these versions, in order of subjects. However many events a
 * subject has, each costs some look-ups in the index: the next key of the same part, else the next part, else the next
 * version, and then the newest event of it. */
static struct db_statement *prepare_events(const struct reader *r, int64_t first_version,
					   int64_t last_version, struct error *err)
{
	struct db_statement *st = db_prepare(
		r->db,
		SQL("WITH RECURSIVE subjects (version, part, key) AS ("
		    " SELECT $2, -1, '' UNION ALL"
		    " SELECT e.version, e.part, e.key FROM subjects AS s"
		    " CROSS JOIN registry_events AS e ON e.event_seq = coalesce("
		    "(SELECT event_seq FROM registry_events WHERE model_seq = $1"
		    " AND version = s.version AND part = s.part AND key > s.key"
		    " ORDER BY key LIMIT 1), "
		    "(SELECT event_seq FROM registry_events WHERE model_seq = $1"
		    " AND version = s.version AND part > s.part ORDER BY part, key LIMIT 1), "
		    "(SELECT event_seq FROM registry_events WHERE model_seq = $1"
		    " AND version > s.version AND version <= $3"
		    " ORDER BY version, part, key LIMIT 1)))"
		    " SELECT s.version, s.part, s.key, e.event_seq, e.time_ms, e.alias_version,"
		    " e.kind, e.actor, e.reason, e.after_json"
		    " FROM subjects AS s CROSS JOIN registry_events AS e ON e.event_seq ="
		    " (SELECT event_seq FROM registry_events WHERE model_seq = $1"
		    " AND version = s.version AND part = s.part AND key = s.key"
		    " AND event_seq <= $4 ORDER BY event_seq DESC LIMIT 1)"),
		err);
	if (st == NULL)
		return NULL;
	db_bind_i64(st, 1, r->model_seq);
	db_bind_i64(st, 2, first_version);
	db_bind_i64(st, 3, last_version);
	db_bind_i64(st, 4, r->seq);
	return st;
}

static struct subject_event read_event(const struct db_statement *st, struct arena *arena)
{
	return (struct subject_event){
		.version = db_column_i64(st, 0),
		.part = db_column_i64(st, 1),
		.key = db_column_copy(st, 2, arena),
		.event_seq = db_column_i64(st, 3),
		.time_ms = db_column_i64(st, 4),
		.alias_version = db_column_i64(st, 5),
		.kind = db_column_copy(st, 6, arena),
		.actor = db_column_copy(st, 7, arena),
		.reason = db_column_copy(st, 8, arena),
		.after = db_column_copy(st, 9, arena),
	};
}

/* ---- one owner ---------------------------------------------------------------------------------- */

static struct slice text_of(struct json_node object, struct slice name)
{
	return slice_or_empty(json_node_string(json_node_member(object, name)));
}

static void read_tags(struct json_node object, struct arena *arena, struct key_value_list *out)
{
	struct json_node list = json_node_member(object, SLICE("tags"));
	struct json_node tag = json_node_first(list);
	size_t capacity = json_node_count(list);
	*out = (struct key_value_list){ARENA_NEW(arena, struct key_value, capacity), 0};
	for (; out->count < capacity; tag = json_node_next(tag))
		out->items[out->count++] = (struct key_value){text_of(tag, SLICE("key")),
							      text_of(tag, SLICE("value"))};
}

/* The whole state of registry_json.h. */
static bool read_life(const struct reader *r, const struct subject_event *event,
		      struct owner *owner, struct error *err)
{
	struct json_node node;
	struct model_version *v = &owner->v;
	*owner = (struct owner){.life_seq = event->event_seq,
				.is_there = slice_is_present(event->after)};
	if (!owner->is_there)
		return true;
	if (!json_read(event->after, r->arena, &node, err))
		return false;
	const struct {
		struct slice name;
		struct slice *out;
	} texts[] = {
		{SLICE("name"), &v->name},
		{SLICE("description"), &v->description},
		{SLICE("stage"), &v->stage},
		{SLICE("source"), &v->source},
		{SLICE("storage_location"), &v->storage_location},
		{SLICE("run_id"), &v->run_id},
		{SLICE("run_link"), &v->run_link},
		{SLICE("user_id"), &v->user_id},
		{SLICE("status"), &v->status},
		{SLICE("status_message"), &v->status_message},
		{SLICE("model_id"), &v->model_id},
	};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		*texts[i].out = text_of(node, texts[i].name);
	v->version = event->version;
	read_tags(node, r->arena, &v->tags);
	return json_node_i64(json_node_member(node, SLICE("creation_time_ms")),
			     &v->creation_time_ms) ||
	       error_set(err, ERR_DATA_LOSS, "An event of the registry's history is damaged.");
}

/* The one text of the state of a part. */
static bool read_text(const struct reader *r, const struct subject_event *event, const char *name,
		      struct slice *out, struct error *err)
{
	struct json_node node;
	if (!json_read(event->after, r->arena, &node, err))
		return false;
	*out = text_of(node, slice_from_cstr(name));
	return true;
}

static void add_tag(const struct reader *r, struct owner *owner, struct slice key,
		    struct slice value_or_absent)
{
	struct key_value_list *list = &owner->later_tags;
	list->items = arena_list_room(r->arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct key_value){key, value_or_absent};
}

/* An event of a part of the owner, which has begun with its event of life. */
static bool apply_part(const struct reader *r, const struct subject_event *event,
		       struct owner *owner, struct error *err)
{
	struct slice value = {0};
	if (event->part == REGISTRY_PART_LIFE)
		return read_life(r, event, owner, err);
	if (!owner->is_there || event->event_seq < owner->life_seq)
		return true;
	switch ((enum registry_part)event->part) {
	case REGISTRY_PART_NAME:
		return read_text(r, event, "name", &owner->v.name, err);
	case REGISTRY_PART_DESCRIPTION:
		return read_text(r, event, "description", &owner->v.description, err);
	case REGISTRY_PART_STAGE:
		return read_text(r, event, "stage", &owner->v.stage, err);
	case REGISTRY_PART_TAG:
		if (slice_is_present(event->after) && !read_text(r, event, "value", &value, err))
			return false;
		add_tag(r, owner, event->key, value);
		return true;
	case REGISTRY_PART_LIFE:
	case REGISTRY_PART_ALIAS:
	case REGISTRY_PART_RULES:
	case REGISTRY_PART_GUARD:
		break;
	}
	return true;
}

/* Both lists are in order of key. */
static void merge_tags(const struct reader *r, struct owner *owner)
{
	const struct key_value_list first = owner->v.tags, later = owner->later_tags;
	struct key_value_list merged = {
		ARENA_NEW(r->arena, struct key_value, first.count + later.count + 1), 0};
	size_t i = 0, k = 0;
	while (i < first.count || k < later.count) {
		int order = i == first.count ? 1
			    : k == later.count
				    ? -1
				    : slice_compare(first.items[i].key, later.items[k].key);
		struct key_value tag = order < 0 ? first.items[i] : later.items[k];
		i += order <= 0;
		k += order >= 0;
		if (slice_is_present(tag.value))
			merged.items[merged.count++] = tag;
	}
	owner->v.tags = merged;
}

/* ---- all of a model ----------------------------------------------------------------------------- */

struct state_reader {
	struct reader r;
	struct registry_state state;
	struct owner owner;
	bool model_is_there;
};

static void add_alias(struct state_reader *s, const struct subject_event *event)
{
	struct registry_alias_list *list = &s->state.aliases;
	if (!slice_is_present(event->after))
		return;
	list->items = arena_list_room(s->r.arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct registry_alias){
		.alias = event->key,
		.version = event->alias_version,
		.revision = event->event_seq,
		.since_ms = event->time_ms,
		.actor = event->actor,
		.kind = event->kind,
		.reason = event->reason,
	};
}

/* What has been gathered of a model or version is all there is. */
static void end_owner(struct state_reader *s)
{
	struct owner *owner = &s->owner;
	struct model_version_list *versions = &s->state.versions;
	if (!owner->is_there)
		return;
	merge_tags(&s->r, owner);
	if (owner->v.version != 0) {
		versions->items = arena_list_room(s->r.arena, versions->items, versions->count,
						  sizeof(*versions->items));
		versions->items[versions->count++] = owner->v;
		return;
	}
	s->model_is_there = true;
	s->state.model = (struct registered_model){.name = owner->v.name,
						   .description = owner->v.description,
						   .creation_time_ms = owner->v.creation_time_ms,
						   .tags = owner->v.tags};
}

static bool take_event(struct state_reader *s, const struct subject_event *event, struct error *err)
{
	if (event->part == REGISTRY_PART_LIFE)
		end_owner(s);
	if (event->part == REGISTRY_PART_ALIAS)
		add_alias(s, event);
	if (event->part == REGISTRY_PART_RULES)
		s->state.rules = event->after;
	return apply_part(&s->r, event, &s->owner, err);
}

static struct model_version *find_version(struct registry_state *state, int64_t number)
{
	size_t first = 0, end = state->versions.count;
	while (end - first > 1) {
		size_t middle = first + (end - first) / 2;
		if (state->versions.items[middle].version <= number)
			first = middle;
		else
			end = middle;
	}
	return end > first && state->versions.items[first].version == number
		       ? &state->versions.items[first]
		       : NULL;
}

static void add_to_list(struct model_alias_list *list, const struct registry_alias *alias,
			struct arena *arena)
{
	list->items = arena_list_room(arena, list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = (struct model_alias){alias->alias, alias->version};
}

/* Aliases come before the versions that they name. */
static void spread_aliases(struct state_reader *s)
{
	for (size_t i = 0; i < s->state.aliases.count; i++) {
		const struct registry_alias *alias = &s->state.aliases.items[i];
		struct model_version *version_or_null = find_version(&s->state, alias->version);
		add_to_list(&s->state.model.aliases, alias, s->r.arena);
		if (version_or_null != NULL)
			add_to_list(&version_or_null->aliases, alias, s->r.arena);
	}
}

bool registry_state_load(struct db *db, int64_t model_seq, int64_t seq, struct arena *arena,
			 struct registry_state *out, bool *found_out, struct error *err)
{
	struct state_reader s = {.r = {db, arena, model_seq, seq}, .state.model_seq = model_seq};
	struct db_statement *st = prepare_events(&s.r, 0, INT64_MAX, err);
	enum db_row row;
	*found_out = false;
	if (st == NULL)
		return false;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct subject_event event = read_event(st, arena);
		bool ok = take_event(&s, &event, err);
		/* The model comes first: when it is not there, nothing of it is. */
		bool is_gone = s.owner.life_seq == 0 || (!s.owner.is_there && event.version == 0);
		if (!ok || is_gone) {
			db_reset(st);
			return ok;
		}
	}
	if (row == DB_FAILED)
		return false;
	end_owner(&s);
	spread_aliases(&s);
	*out = s.state;
	*found_out = s.model_is_there;
	return true;
}

bool registry_version_load(struct db *db, int64_t model_seq, int64_t version, int64_t seq,
			   struct arena *arena, struct model_version *out, int64_t *life_seq_out,
			   bool *found_out, struct error *err)
{
	const struct reader r = {db, arena, model_seq, seq};
	struct db_statement *st = prepare_events(&r, version, version, err);
	struct owner owner = {0};
	enum db_row row;
	if (st == NULL)
		return false;
	while ((row = db_step(st, err)) == DB_ROW) {
		struct subject_event event = read_event(st, arena);
		if (!apply_part(&r, &event, &owner, err)) {
			db_reset(st);
			return false;
		}
	}
	if (row == DB_FAILED)
		return false;
	*life_seq_out = owner.life_seq;
	*found_out = owner.is_there;
	if (owner.is_there) {
		merge_tags(&r, &owner);
		*out = owner.v;
	}
	return true;
}
