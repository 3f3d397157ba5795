/* Owns the endpoint that checks the registry's history. */
#include "api/model_history.h"

#include "api/entity_json.h"
#include "limits.h"
#include "store/registry_json.h"
#include "store/registry_verify.h"
#include "store/search_page.h"
#include "store/snapshot.h"

enum { VERIFY_PAGE_DEFAULT = 1000, VERIFY_MODELS_DEFAULT = 100 };

struct verify_request {
	struct opt_i64 after_seq, max_results;
	struct slice after_sha256, expect_sha256, page_token;
	struct opt_bool models;
	/* Set by check: */
	struct registry_check check;
	unsigned char expected[SHA256_BYTES];
	int64_t after_pk; /* of models */
};

static const struct field verify_fields[] = {
	FIELD_I64(struct verify_request, after_seq, FIELD_OPTIONAL),
	FIELD_TEXT(struct verify_request, after_sha256, FIELD_OPTIONAL),
	FIELD_TEXT(struct verify_request, expect_sha256, FIELD_OPTIONAL),
	FIELD_I64(struct verify_request, max_results, FIELD_OPTIONAL),
	FIELD_BOOL(struct verify_request, models, FIELD_OPTIONAL),
	FIELD_TEXT(struct verify_request, page_token, FIELD_OPTIONAL),
	FIELDS_END,
};

/* Of the chain, or of the models. */
struct verify_result {
	struct registry_check_result
		chain; /* `problems` and checked_count are those of models, too */
	int64_t last_pk;
};

static bool read_digest(struct slice text, const char *name, unsigned char sha256[SHA256_BYTES],
			struct error *err)
{
	return digest_from_hex(text, sha256) ||
	       error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "Parameter '%s' must be a digest of 64 hexadecimal digits.", name);
}

static bool verify_check(struct call *call, struct error *err)
{
	struct verify_request *r = call->request;
	r->check.after_seq = r->after_seq.value;
	if (r->check.after_seq < 0)
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Parameter 'after_seq' must not be negative.");
	if (r->check.after_seq > 0 &&
	    !read_digest(r->after_sha256, "after_sha256", r->check.after_sha256, err))
		return false;
	if (slice_is_present(r->expect_sha256)) {
		if (!read_digest(r->expect_sha256, "expect_sha256", r->expected, err))
			return false;
		r->check.expected_or_null = r->expected;
	}
	if (r->page_token.len > 0 && !slice_parse_i64(r->page_token, &r->after_pk))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE, "Invalid page token.");
	return search_page_rows_max(r->max_results.is_set, r->max_results.value,
				    r->models.value ? VERIFY_MODELS_DEFAULT : VERIFY_PAGE_DEFAULT,
				    REGISTRY_VERIFY_PAGE_MAX, &r->check.rows_max, err);
}

static bool check(const struct verify_request *r, struct db *tracker, struct arena *arena,
		  struct verify_result *out, struct error *err)
{
	if (!r->models.value)
		return registry_check_chain(tracker, &r->check, arena, &out->chain, err);
	return registry_check_models(tracker, r->after_pk, r->check.rows_max, arena,
				     &out->chain.checked_count, &out->last_pk, &out->chain.problems,
				     err);
}

static bool verify_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct verify_result *result = ARENA_NEW(call->arena, struct verify_result, 1);
	struct db_statement *snapshot = snapshot_hold(tracker, err);
	bool ok = snapshot != NULL && check(call->request, tracker, call->arena, result, err);
	snapshot_release(snapshot);
	call->result = result;
	return ok;
}

static void put_digest(struct json_writer *w, const char *key,
		       const unsigned char sha256[SHA256_BYTES])
{
	char hex[SHA256_HEX_LEN + 1];
	digest_hex(sha256, hex);
	json_put_cstr(w, key, hex);
}

static void put_chain(struct json_writer *w, const struct registry_check_result *chain)
{
	entity_json_put_id(w, "last_seq", chain->last_seq);
	put_digest(w, "last_sha256", chain->last_sha256);
	entity_json_put_id(w, "head_seq", chain->head.event_seq);
	put_digest(w, "head_sha256", chain->head.sha256);
	entity_json_put_id(w, "expected_seq", chain->expected_seq);
}

static void verify_encode(const struct call *call, struct json_writer *w)
{
	const struct verify_request *r = call->request;
	const struct verify_result *result = call->result;
	const struct registry_problem_list *problems = &result->chain.problems;
	json_object_begin(w);
	json_put_bool(w, "ok", problems->count == 0);
	json_put_int(w, "checked", (int64_t)result->chain.checked_count);
	if (r->models.value) {
		registry_json_number(w, "next_page_token", result->last_pk);
	} else {
		put_chain(w, &result->chain);
	}
	json_key(w, "problems");
	json_array_begin(w);
	for (size_t i = 0; i < problems->count; i++) {
		json_object_begin(w);
		entity_json_put_id(w, "seq", problems->items[i].seq);
		json_put_string(w, "problem", problems->items[i].text);
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}

const struct endpoint registry_verify = {
	.kind = ENDPOINT_READ,
	.fields_or_null = verify_fields,
	.request_bytes = sizeof(struct verify_request),
	.check = verify_check,
	.execute = verify_execute,
	.encode = verify_encode,
	.summary = "Check the history of the registry",
};
