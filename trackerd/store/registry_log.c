/* Owns the reading of the registry's events. */
#include "store/registry_log.h"

#include "db/sql_builder.h"

static void build(struct sql_builder *b, const struct registry_log_query *query)
{
	sql_text(b, SQL("SELECT event_seq, time_ms, model_seq, version, part, alias_version, model,"
			" kind, key, actor, client, cause, reason, detail_json, before_json,"
			" after_json, sha256 FROM registry_events WHERE event_seq >= "));
	sql_value_i64(b, query->first_seq);
	sql_text(b, SQL(" AND event_seq <= "));
	sql_value_i64(b, query->last_seq);
	if (query->model_seq != 0) {
		sql_text(b, SQL(" AND model_seq = "));
		sql_value_i64(b, query->model_seq);
	} else if (slice_is_present(query->name_or_absent)) {
		sql_text(b, SQL(" AND model_seq IN (SELECT model_seq FROM registry_events"
				" WHERE " REGISTRY_NAMES_SQL " AND model = "));
		sql_value_text(b, query->name_or_absent);
		sql_text(b, SQL(")"));
	}
	if (query->is_descending)
		sql_text(b, SQL(" ORDER BY event_seq DESC LIMIT "));
	else
		sql_text(b, SQL(" ORDER BY event_seq LIMIT "));
	sql_value_i64(b, (int64_t)query->rows_max);
}

static struct registry_event_row read_row(const struct db_statement *st, struct arena *arena)
{
	struct registry_event_row row = {
		.event_seq = db_column_i64(st, 0),
		.time_ms = db_column_i64(st, 1),
		.model_seq = db_column_i64(st, 2),
		.version = db_column_i64(st, 3),
		.part = db_column_i64(st, 4),
		.alias_version = db_column_i64(st, 5),
		.model = db_column_copy(st, 6, arena),
		.kind = db_column_copy(st, 7, arena),
		.key = db_column_copy(st, 8, arena),
		.actor = db_column_copy(st, 9, arena),
		.client = db_column_copy(st, 10, arena),
		.cause = db_column_copy(st, 11, arena),
		.reason = db_column_copy(st, 12, arena),
		.detail = db_column_copy(st, 13, arena),
		.before = db_column_copy(st, 14, arena),
		.after = db_column_copy(st, 15, arena),
	};
	struct slice sha256 = db_column_blob(st, 16);
	if (sha256.len == SHA256_BYTES)
		memcpy(row.sha256, sha256.ptr, SHA256_BYTES);
	return row;
}

bool registry_log_load(struct db *db, const struct registry_log_query *query, struct arena *arena,
		       struct registry_event_list *out, struct error *err)
{
	struct registry_event_list list = {NULL, 0};
	struct sql_builder b;
	enum db_row row;
	sql_builder_init(&b, arena);
	build(&b, query);
	struct db_statement *st = db_prepare_built(db, &b, err);
	if (st == NULL)
		return false;
	size_t bytes = 0;
	while ((row = db_step(st, err)) == DB_ROW) {
		list.items = arena_list_room(arena, list.items, list.count, sizeof(*list.items));
		struct registry_event_row *event = &list.items[list.count++];
		*event = read_row(st, arena);
		bytes += event->detail.len + event->before.len + event->after.len;
		if (query->bytes_max != 0 && bytes >= query->bytes_max)
			break;
	}
	if (row == DB_ROW)
		db_reset(st);
	*out = list;
	return row != DB_FAILED;
}
