/* Owns the rows of the registry's history: their kinds, their digests, and how they are added. */
#include "store/registry_history.h"

#include <stdio.h>

#include "limits.h"

struct kind_row {
	const char *name;
	enum registry_part part;
};

// clang-format off
static const struct kind_row kinds[] = {
	[REGISTRY_MODEL_CREATED] =        {"model.created",       REGISTRY_PART_LIFE},
	[REGISTRY_MODEL_ADOPTED] =        {"model.adopted",       REGISTRY_PART_LIFE},
	[REGISTRY_MODEL_RENAMED] =        {"model.renamed",       REGISTRY_PART_NAME},
	[REGISTRY_MODEL_DESCRIBED] =      {"model.described",     REGISTRY_PART_DESCRIPTION},
	[REGISTRY_MODEL_TAG_SET] =        {"model.tag_set",       REGISTRY_PART_TAG},
	[REGISTRY_MODEL_TAG_DELETED] =    {"model.tag_deleted",   REGISTRY_PART_TAG},
	[REGISTRY_MODEL_DELETED] =        {"model.deleted",       REGISTRY_PART_LIFE},
	[REGISTRY_MODEL_RESTORED] =       {"model.restored",      REGISTRY_PART_LIFE},
	[REGISTRY_MODEL_RULES_SET] =      {"model.rules_set",     REGISTRY_PART_RULES},
	[REGISTRY_VERSION_CREATED] =      {"version.created",     REGISTRY_PART_LIFE},
	[REGISTRY_VERSION_ADOPTED] =      {"version.adopted",     REGISTRY_PART_LIFE},
	[REGISTRY_VERSION_DESCRIBED] =    {"version.described",   REGISTRY_PART_DESCRIPTION},
	[REGISTRY_VERSION_STAGE_MOVED] =  {"version.stage_moved", REGISTRY_PART_STAGE},
	[REGISTRY_VERSION_TAG_SET] =      {"version.tag_set",     REGISTRY_PART_TAG},
	[REGISTRY_VERSION_TAG_DELETED] =  {"version.tag_deleted", REGISTRY_PART_TAG},
	[REGISTRY_VERSION_DELETED] =      {"version.deleted",     REGISTRY_PART_LIFE},
	[REGISTRY_VERSION_RESTORED] =     {"version.restored",    REGISTRY_PART_LIFE},
	[REGISTRY_ALIAS_SET] =            {"alias.set",           REGISTRY_PART_ALIAS},
	[REGISTRY_ALIAS_DELETED] =        {"alias.deleted",       REGISTRY_PART_ALIAS},
	[REGISTRY_ALIAS_PROMOTED] =       {"alias.promoted",      REGISTRY_PART_ALIAS},
	[REGISTRY_ALIAS_ROLLED_BACK] =    {"alias.rolled_back",   REGISTRY_PART_ALIAS},
	[REGISTRY_ALIAS_ADOPTED] =        {"alias.adopted",       REGISTRY_PART_ALIAS},
	[REGISTRY_GUARD_FORCED] =         {"guard.forced",        REGISTRY_PART_GUARD},
	[REGISTRY_GUARD_REPLACED] =       {"guard.replaced",      REGISTRY_PART_GUARD},
};
// clang-format on

const char *registry_kind_name(enum registry_kind kind)
{
	return kinds[kind].name;
}

bool registry_kind_from_name(struct slice name, enum registry_kind *out)
{
	for (size_t i = 0; i < ARRAY_COUNT(kinds); i++) {
		if (!slice_eq_cstr(name, kinds[i].name))
			continue;
		*out = (enum registry_kind)i;
		return true;
	}
	return false;
}

enum registry_part registry_kind_part(enum registry_kind kind)
{
	return kinds[kind].part;
}

/* ---- the chain ---------------------------------------------------------------------------------- */

static void add_number(struct digest *hash, uint64_t number)
{
	char bytes[8];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(number >> (56 - 8 * i));
	digest_update(hash, slice_make(bytes, sizeof(bytes)));
}

static void add_text(struct digest *hash, struct slice text_or_absent)
{
	add_number(hash, slice_is_present(text_or_absent) ? text_or_absent.len : UINT64_MAX);
	digest_update(hash, text_or_absent);
}

void registry_event_digest(struct digest *hash, const unsigned char previous[SHA256_BYTES],
			   const struct registry_event_row *row, unsigned char sha256[SHA256_BYTES])
{
	const struct slice texts[] = {row->actor,  row->client, row->cause, row->reason,
				      row->detail, row->before, row->after};
	digest_restart(hash);
	digest_update(hash, slice_make((const char *)previous, SHA256_BYTES));
	add_number(hash, (uint64_t)row->event_seq);
	add_number(hash, (uint64_t)row->time_ms);
	add_number(hash, (uint64_t)row->model_seq);
	add_text(hash, row->model);
	add_text(hash, row->kind);
	add_number(hash, (uint64_t)row->version);
	add_number(hash, (uint64_t)row->part);
	add_text(hash, row->key);
	add_number(hash, (uint64_t)row->alias_version);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		add_text(hash, texts[i]);
	digest_value(hash, sha256);
}

bool registry_head_load(struct db *db, struct registry_head *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db, SQL("SELECT event_seq, time_ms, sha256 FROM registry_head WHERE head_pk = 1"),
		err);
	if (st == NULL || !db_fetch_one(st, &found, err))
		return false;
	struct slice sha256 = found ? db_column_blob(st, 2) : (struct slice){0};
	found = sha256.len == SHA256_BYTES;
	if (found) {
		out->event_seq = db_column_i64(st, 0);
		out->time_ms = db_column_i64(st, 1);
		memcpy(out->sha256, sha256.ptr, SHA256_BYTES);
	}
	db_reset(st);
	return found || error_set(err, ERR_DATA_LOSS,
				  "The registry's history has lost its end; restore a backup.");
}

/* ---- adding ------------------------------------------------------------------------------------- */

/* A state that is too large to be kept twice: by its size and digest. */
static void shorten_before(struct digest *hash, struct registry_event_row *row, char *text,
			   size_t text_bytes)
{
	unsigned char sha256[SHA256_BYTES];
	char hex[SHA256_HEX_LEN + 1];
	if (row->before.len <= REGISTRY_BEFORE_BYTES_MAX)
		return;
	digest_update(hash, row->before);
	digest_value(hash, sha256);
	digest_hex(sha256, hex);
	(void)snprintf(text, text_bytes, "{\"bytes\":%zu,\"sha256\":\"%s\"}", row->before.len, hex);
	row->before = slice_from_cstr(text);
}

static bool insert_row(struct db *db, const struct registry_event_row *row, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO registry_events (event_seq, time_ms, model_seq, version, part,"
		    " alias_version, model, kind, key, actor, client, cause, reason, detail_json,"
		    " before_json, after_json, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9,"
		    " $10, $11, $12, $13, $14, $15, $16, $17)"),
		err);
	if (st == NULL)
		return false;
	const int64_t numbers[] = {row->event_seq, row->time_ms, row->model_seq,
				   row->version,   row->part,	 row->alias_version};
	const struct slice texts[] = {row->model,  row->kind,  row->key,    row->actor,
				      row->client, row->cause, row->reason, row->detail,
				      row->before, row->after};
	int index = 1;
	for (size_t i = 0; i < ARRAY_COUNT(numbers); i++)
		db_bind_i64(st, index++, numbers[i]);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		db_bind_text(st, index++, texts[i]);
	db_bind_blob(st, index, slice_make((const char *)row->sha256, SHA256_BYTES));
	return db_run(st, err);
}

static bool move_head(struct db *db, const struct registry_event_row *row, struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("UPDATE registry_head SET event_seq = $1, time_ms = $2, sha256 = $3"
			       " WHERE head_pk = 1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, row->event_seq);
	db_bind_i64(st, 2, row->time_ms);
	db_bind_blob(st, 3, slice_make((const char *)row->sha256, SHA256_BYTES));
	return db_run(st, err);
}

/* 0 for a model that has no events yet. */
static bool find_model_seq(struct db *db, struct model_pk pk, int64_t *out, struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db, SQL("SELECT model_seq FROM registered_models WHERE model_pk = $1"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_i64(st, 0) : 0;
	db_reset(st);
	return true;
}

static bool give_identity(struct db *db, struct model_pk pk, int64_t model_seq, struct error *err)
{
	struct db_statement *st = db_prepare(
		db, SQL("UPDATE registered_models SET model_seq = $1 WHERE model_pk = $2"), err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, model_seq);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}

static void fill_row(struct registry_event_row *row, const struct registry_change *change,
		     const struct registry_head *head)
{
	*row = (struct registry_event_row){
		.event_seq = head->event_seq + 1,
		.time_ms = change->now_ms > head->time_ms ? change->now_ms : head->time_ms,
		.model_seq = row->model_seq,
		.model = change->model,
		.kind = slice_from_cstr(kinds[change->kind].name),
		.version = change->version,
		.part = kinds[change->kind].part,
		.key = slice_or_empty(change->key),
		.alias_version = change->alias_version,
		.actor = slice_or_empty(change->author.actor),
		.client = slice_or_empty(change->author.client),
		.cause = slice_or_empty(change->author.cause),
		.reason = slice_or_empty(change->reason),
		.detail = change->detail,
		.before = change->before,
		.after = change->after,
	};
}

bool registry_record_in_txn(struct db *db, const struct registry_change *change, int64_t *seq_out,
			    struct error *err)
{
	struct registry_event_row row = {0};
	struct registry_head head;
	struct digest hash = {NULL};
	char shortened[128];
	if (!find_model_seq(db, change->model_pk, &row.model_seq, err) ||
	    !registry_head_load(db, &head, err) || !digest_init(&hash, err))
		return false;
	fill_row(&row, change, &head);
	bool is_first = row.model_seq == 0;
	if (is_first)
		row.model_seq = row.event_seq;
	shorten_before(&hash, &row, shortened, sizeof(shortened));
	registry_event_digest(&hash, head.sha256, &row, row.sha256);
	digest_deinit(&hash);
	*seq_out = row.event_seq;
	return insert_row(db, &row, err) && move_head(db, &row, err) &&
	       (!is_first || give_identity(db, change->model_pk, row.model_seq, err));
}

bool registry_continue_in_txn(struct db *db, struct model_pk pk, int64_t model_seq,
			      struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("UPDATE registered_models SET last_version = max(last_version, (SELECT"
		    " coalesce(max(version), 0) FROM registry_events WHERE model_seq = $1))"
		    " WHERE model_pk = $2"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, model_seq);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err) && give_identity(db, pk, model_seq, err);
}

/* ---- aliases ------------------------------------------------------------------------------------ */

bool registry_alias_event_load(struct db *db, struct model_pk pk, struct slice alias,
			       struct arena *arena, struct registry_alias_event *out,
			       struct error *err)
{
	bool found = false;
	struct db_statement *st = db_prepare(
		db,
		SQL("SELECT event_seq, time_ms, CASE WHEN after_json IS NULL THEN 0 ELSE"
		    " alias_version END, kind, actor, reason FROM registry_events WHERE model_seq ="
		    " (SELECT model_seq FROM registered_models WHERE model_pk = $1)"
		    " AND version = 0 AND part = $3 AND key = $2 ORDER BY event_seq DESC LIMIT 1"),
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_text(st, 2, alias);
	db_bind_i64(st, 3, REGISTRY_PART_ALIAS);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = (struct registry_alias_event){0};
	if (found) {
		out->event_seq = db_column_i64(st, 0);
		out->time_ms = db_column_i64(st, 1);
		out->version = db_column_i64(st, 2);
		out->kind = db_column_copy(st, 3, arena);
		out->actor = db_column_copy(st, 4, arena);
		out->reason = db_column_copy(st, 5, arena);
	}
	db_reset(st);
	return true;
}

bool registry_newest_is(struct db *db, struct model_pk pk, int64_t version, enum registry_kind kind,
			bool *out, struct error *err)
{
	bool found = false;
	struct db_statement *st =
		db_prepare(db,
			   SQL("SELECT kind FROM registry_events WHERE model_seq ="
			       " (SELECT model_seq FROM registered_models WHERE model_pk = $1)"
			       " AND version = $2 AND part = $3 AND key = ''"
			       " ORDER BY event_seq DESC LIMIT 1"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, pk.value);
	db_bind_i64(st, 2, version);
	db_bind_i64(st, 3, registry_kind_part(kind));
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found && slice_eq_cstr(db_column_text(st, 0), registry_kind_name(kind));
	db_reset(st);
	return true;
}
