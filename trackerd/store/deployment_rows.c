/* Owns the way of a deployment's columns between rows and structs. */
#include "store/deployment_rows.h"

void deployment_row_bind(struct db_statement *st, int first, const struct deployment *d)
{
	const struct slice texts[] = {d->environment, d->target, d->host,
				      d->path,	      d->reason, d->actor};
	db_bind_text(st, first, slice_from_cstr(deployment_state_name(d->state)));
	db_bind_i64(st, first + 1, d->since_ms);
	db_bind_i64(st, first + 2, d->last_seen_ms);
	db_bind_i64(st, first + 3, d->heartbeat_ms);
	db_bind_text(st, first + 4, d->model);
	db_bind_i64(st, first + 5, d->version);
	db_bind_i64(st, first + 6, d->previous_version);
	db_bind_text(st, first + 7, d->alias);
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		db_bind_text(st, first + 8 + (int)i, texts[i]);
}

struct deployment deployment_row_read(const struct db_statement *st, struct arena *arena)
{
	return (struct deployment){
		.deployment_id = db_column_copy(st, 0, arena),
		.change_seq = db_column_i64(st, 1),
		.state = deployment_state_from_name(db_column_text(st, 2)),
		.since_ms = db_column_i64(st, 3),
		.last_seen_ms = db_column_i64(st, 4),
		.heartbeat_ms = db_column_i64(st, 5),
		.model = db_column_copy(st, 6, arena),
		.version = db_column_i64(st, 7),
		.previous_version = db_column_i64(st, 8),
		.alias = db_column_copy(st, 9, arena),
		.environment = db_column_copy(st, 10, arena),
		.target = db_column_copy(st, 11, arena),
		.host = db_column_copy(st, 12, arena),
		.path = db_column_copy(st, 13, arena),
		.reason = db_column_copy(st, 14, arena),
		.actor = db_column_copy(st, 15, arena),
		.alias_version = db_column_i64(st, 16),
		.is_in_registry = db_column_i64(st, 17) != 0,
	};
}

bool deployment_error_missing(struct error *err, struct slice deployment_id)
{
	char quoted[200];
	return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Deployment with ID %s not found.",
			 error_quote(deployment_id, quoted, sizeof(quoted)));
}
