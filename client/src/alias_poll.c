/* Owns the questions about an alias that moves. */
#include "src/alias_poll.h"

#include <stdio.h>

void alias_poll_init(struct alias_poll *p, const struct fetcher *fetcher, const char *model,
		     const char *alias)
{
	*p = (struct alias_poll){.fetcher = fetcher, .model = model, .alias = alias};
}

/* Numbers, in the one server as in the other: anything else names no version. */
static bool take_number(struct slice text, char *out, size_t out_bytes, struct error *err)
{
	char quoted[64];
	int64_t number;
	if (text.len >= out_bytes || !slice_parse_i64(text, &number) || number < 0)
		return error_set(err, ERR_INTERNAL_ERROR,
				 "the server's answer about the alias is none: \"%s\"",
				 error_quote(text, quoted, sizeof(quoted)));
	(void)snprintf(out, out_bytes, "%.*s", SLICE_FMT(text));
	return true;
}

static void lose(struct alias_poll *p, const struct error *why, struct alias_reply *out)
{
	*out = (struct alias_reply){.answer = ALIAS_MISSING};
	(void)snprintf(p->missing, sizeof(p->missing), "%.*s", (int)sizeof(p->missing) - 1,
		       why->message);
	(void)snprintf(p->revision, sizeof(p->revision), "0");
	p->version[0] = '\0';
}

/* What trackerd says. */
static bool take_holder(struct alias_poll *p, const struct json_value *reply,
			struct alias_reply *out, struct error *err)
{
	char before[ALIAS_REVISION_BYTES];
	memcpy(before, p->revision, sizeof(before));
	if (!take_number(json_text(reply, "version"), p->version, sizeof(p->version), err) ||
	    !take_number(json_text(reply, "revision"), p->revision, sizeof(p->revision), err))
		return false;
	out->answer = strcmp(before, p->revision) == 0 ? ALIAS_SAME : ALIAS_MOVED;
	return true;
}

static bool ask_long(struct alias_poll *p, int64_t wait_ms, struct arena *arena,
		     struct alias_reply *out, struct error *err)
{
	struct json_value *reply = NULL;
	struct slice question = SLICE("");
	bool is_first = p->revision[0] == '\0';
	if (!is_first)
		question = arena_printf(arena, "?revision=%s&wait_ms=%lld", p->revision,
					(long long)wait_ms);
	bool ok = fetcher_get(
		p->fetcher, arena, &reply, err, "/api/trackerd/v1/models/%s/aliases/%s%.*s",
		fetcher_encode_value(arena, slice_from_cstr(p->model)),
		fetcher_encode_value(arena, slice_from_cstr(p->alias)), SLICE_FMT(question));
	*out = (struct alias_reply){.answer = ALIAS_SAME, .has_waited = !is_first};
	if (ok)
		return reply == NULL || take_holder(p, reply, out, err);
	if (err->code != ERR_RESOURCE_DOES_NOT_EXIST)
		return false;
	lose(p, err, out);
	return true;
}

/* MLflow's own question, which every server has. */
static bool ask_plain(struct alias_poll *p, struct arena *arena, struct alias_reply *out,
		      struct error *err)
{
	struct json_value *reply = NULL;
	char before[ALIAS_VERSION_BYTES];
	memcpy(before, p->version, sizeof(before));
	bool ok = fetcher_get(p->fetcher, arena, &reply, err,
			      "/api/2.0/mlflow/registered-models/alias?name=%s&alias=%s",
			      fetcher_encode_value(arena, slice_from_cstr(p->model)),
			      fetcher_encode_value(arena, slice_from_cstr(p->alias)));
	*out = (struct alias_reply){.answer = ALIAS_SAME};
	/* MLflow calls an alias that is not there an invalid parameter. */
	if (!ok && (err->code == ERR_RESOURCE_DOES_NOT_EXIST ||
		    err->code == ERR_INVALID_PARAMETER_VALUE)) {
		lose(p, err, out);
		return true;
	}
	if (!ok || !take_number(json_text(json_tree_get(reply, "model_version"), "version"),
				p->version, sizeof(p->version), err))
		return false;
	if (strcmp(before, p->version) != 0)
		out->answer = ALIAS_MOVED;
	return true;
}

bool alias_poll_ask(struct alias_poll *p, int64_t wait_ms, struct arena *arena,
		    struct alias_reply *out, struct error *err)
{
	if (!p->is_plain && ask_long(p, wait_ms, arena, out, err))
		return true;
	/* An address that the server does not have, whatever it says about it. */
	if (!p->is_plain && err->code != ERR_NOT_FOUND && err->code != ERR_ENDPOINT_NOT_FOUND &&
	    err->code != ERR_METHOD_NOT_ALLOWED)
		return false;
	p->is_plain = true;
	if (ask_plain(p, arena, out, err))
		return true;
	p->is_plain = false; /* another server may answer the next time */
	return false;
}
