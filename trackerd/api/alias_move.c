/* Owns the moves of aliases, and who wins of two at once. */
#include "api/alias_move.h"

#include <inttypes.h>
#include <stdio.h>

#include "api/model_events.h"
#include "api/model_rules.h"
#include "base/clock.h"
#include "store/models.h"

static int64_t revision_of(const struct registry_alias_event *last)
{
	return last->version != 0 ? last->event_seq : 0;
}

/* "was moved to version 4 by ana at 2026-03-01T12:00:00.000Z". */
static void describe_last(const struct registry_alias_event *last, char *text, size_t text_bytes)
{
	char time[25], actor[80], by[100] = "";
	clock_format_ms(last->time_ms, time);
	if (last->actor.len > 0)
		(void)snprintf(by, sizeof(by), " by %s",
			       error_quote(last->actor, actor, sizeof(actor)));
	if (last->event_seq == 0)
		(void)snprintf(text, text_bytes, "does not exist");
	else if (last->version == 0)
		(void)snprintf(text, text_bytes, "was deleted%s at %s", by, time);
	else
		(void)snprintf(text, text_bytes, "was moved to version %" PRId64 "%s at %s",
			       last->version, by, time);
}

static bool error_lost(const struct alias_move *move, const struct registry_alias_event *last,
		       struct slice wanted, struct error *err)
{
	char alias[300], name[300], asked[40], happened[200];
	describe_last(last, happened, sizeof(happened));
	return error_set(err, ERR_PRECONDITION_FAILED,
			 "Alias '%s' of model '%s' %s: its revision is %" PRId64
			 ", not %s. Look at it "
			 "again, then decide.",
			 error_quote(move->alias, alias, sizeof(alias)),
			 error_quote(move->name, name, sizeof(name)), happened, revision_of(last),
			 error_quote(wanted, asked, sizeof(asked)));
}

/* `"57"`, or 57. */
static bool read_revision(struct slice header, int64_t *out, struct error *err)
{
	char quoted[64];
	struct slice text = header;
	if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
		text = slice_make(text.ptr + 1, text.len - 2);
	if (slice_parse_i64(text, out) && *out >= 0)
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "If-Match must be the revision of the alias in quotes, as \"57\", "
			 "got '%s'.",
			 error_quote(header, quoted, sizeof(quoted)));
}

static bool check_precondition(const struct call *call, const struct alias_move *move,
			       const struct registry_alias_event *last, struct error *err)
{
	struct slice header = slice_trim(http_request_header(call->http, "If-Match"));
	int64_t wanted = 0;
	if (!slice_is_present(header))
		return true;
	if (slice_eq(header, SLICE("*")))
		return revision_of(last) != 0 || error_lost(move, last, header, err);
	if (!read_revision(header, &wanted, err))
		return false;
	return wanted == revision_of(last) ||
	       error_lost(move, last, arena_printf(call->arena, "%" PRId64, wanted), err);
}

/* What is set or deleted without a promotion must not be protected. */
static bool check_protection(struct db *tracker, const struct alias_move *move, struct error *err)
{
	bool is_free =
		move->kind == REGISTRY_ALIAS_PROMOTED || move->kind == REGISTRY_ALIAS_ROLLED_BACK;
	return is_free || model_rules_allow_alias(tracker, move->model_pk, move->name, move->alias,
						  move->version, err);
}

static bool write_row(struct db *tracker, const struct alias_move *move, struct error *err)
{
	if (move->kind == REGISTRY_ALIAS_DELETED)
		return model_alias_delete_in_txn(tracker, move->model_pk, move->alias, err);
	return model_alias_set_in_txn(tracker, move->model_pk, move->alias, move->version, err);
}

bool alias_move_in_txn(struct call *call, struct db *tracker, const struct alias_move *move,
		       struct alias_moved *out, struct error *err)
{
	struct registry_alias_event last;
	ASSERT((move->kind == REGISTRY_ALIAS_DELETED) == (move->version == 0));
	if (!check_protection(tracker, move, err) ||
	    !registry_alias_event_load(tracker, move->model_pk, move->alias, call->arena, &last,
				       err) ||
	    !check_precondition(call, move, &last, err) || !write_row(tracker, move, err))
		return false;
	struct model_change change = {.kind = move->kind,
				      .model_pk = move->model_pk,
				      .name = move->name,
				      .key = move->alias,
				      .before_version = last.version,
				      .after_version = move->version,
				      .reason = move->reason,
				      .detail = move->detail};
	if (!model_change(call, tracker, &change, err))
		return false;
	int64_t moved = change.seq != 0 ? change.seq : last.event_seq;
	*out = (struct alias_moved){.previous_version = last.version,
				    .revision = move->version != 0 ? moved : 0};
	call->etag = arena_printf(call->arena, "\"%" PRId64 "\"", out->revision);
	return true;
}
