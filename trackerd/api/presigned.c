/* Owns the endpoints that hand out the URL of a file. */
#include "api/presigned.h"

#include <inttypes.h>

#include "api/artifacts.h"
#include "api/public_url.h"
#include "artifacts/artifact_location.h"
#include "artifacts/artifact_path.h"

enum { EXPIRATION_S_MAX = 7 * 24 * 60 * 60 };

/* What all of them leave for encode. */
struct direct_url {
	const char *key; /* of the URL in the reply */
	struct slice url;
	int64_t file_size; /* -1: not in the reply */
};

static struct direct_url *new_url(struct call *call, const char *key)
{
	struct direct_url *direct = ARENA_NEW(call->arena, struct direct_url, 1);
	direct->key = key;
	direct->file_size = -1;
	call->result = direct;
	return direct;
}

static bool set_url(struct call *call, struct direct_url *direct, struct slice path,
		    struct error *err)
{
	struct slice root;
	if (!public_url(call->api, call->http, call->arena, &root, err))
		return false;
	direct->url = public_url_of_artifact(root, path, call->arena);
	return true;
}

static bool set_size(struct db *tracker, struct direct_url *direct, struct slice path,
		     struct error *err)
{
	struct artifact_file file;
	if (!artifacts_find_file(tracker, path, &file, err))
		return false;
	direct->file_size = file.size;
	return true;
}

static void encode(const struct call *call, struct json_writer *w)
{
	const struct direct_url *direct = call->result;
	json_object_begin(w);
	json_put_string(w, direct->key, direct->url);
	public_url_headers(call->http, w);
	if (direct->file_size >= 0)
		json_put_int(w, "file_size", direct->file_size);
	json_object_end(w);
}

/* ---- of the proxy ------------------------------------------------------------------------------- */

static bool get_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct direct_url *direct = new_url(call, "url");
	struct slice path;
	return artifact_path_parse_below_root(call->path_arguments[0], call->arena, &path, err) &&
	       set_size(tracker, direct, path, err) && set_url(call, direct, path, err);
}

const struct endpoint presigned_get = {
	.kind = ENDPOINT_READ,
	.execute = get_execute,
	.encode = encode,
	.summary = "Under which URL a file can be downloaded",
};

/* ---- of a run or a logged model ----------------------------------------------------------------- */

struct place_request {
	struct slice run_id;
	struct slice model_id;
	struct slice path;
	struct opt_i64 expiration;
};

static bool check_expiration(const struct place_request *r, struct error *err)
{
	if (!r->expiration.is_set ||
	    (r->expiration.value >= 1 && r->expiration.value <= EXPIRATION_S_MAX))
		return true;
	return error_set(err, ERR_INVALID_PARAMETER_VALUE,
			 "expiration must be between 1 and %d seconds (got %" PRId64 ").",
			 EXPIRATION_S_MAX, r->expiration.value);
}

static bool find_path(struct call *call, struct db *tracker, struct slice *out, struct error *err)
{
	const struct place_request *r = call->request;
	struct slice uri, root;
	bool ok = r->model_id.len > 0 ? artifact_location_of_logged_model(
						tracker, r->model_id, call->arena, &uri, &root, err)
				      : artifact_location_of_run(tracker, r->run_id, call->arena,
								 &uri, &root, err);
	return ok && artifact_path_join(root, r->path, call->arena, out, err);
}

static const struct field upload_fields[] = {
	FIELD_TEXT(struct place_request, run_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct place_request, model_id, FIELD_OPTIONAL),
	FIELD_TEXT(struct place_request, path, FIELD_REQUIRED),
	FIELD_I64(struct place_request, expiration, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool upload_check(struct call *call, struct error *err)
{
	struct place_request *r = call->request;
	if ((r->run_id.len > 0) == (r->model_id.len > 0))
		return error_set(err, ERR_INVALID_PARAMETER_VALUE,
				 "Exactly one of run_id and model_id must be provided.");
	return artifact_path_parse_below_root(r->path, call->arena, &r->path, err) &&
	       check_expiration(r, err);
}

static bool upload_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct direct_url *direct = new_url(call, "presigned_url");
	struct slice path;
	return find_path(call, tracker, &path, err) && set_url(call, direct, path, err);
}

const struct endpoint presigned_upload = {
	.kind = ENDPOINT_READ,
	.fields_or_null = upload_fields,
	.request_bytes = sizeof(struct place_request),
	.check = upload_check,
	.execute = upload_execute,
	.encode = encode,
	.summary = "Under which URL a file of a run or a logged model can be stored with PUT",
};

static const struct field download_fields[] = {
	FIELD_TEXT(struct place_request, run_id, FIELD_REQUIRED),
	FIELD_TEXT(struct place_request, path, FIELD_REQUIRED),
	FIELD_I64(struct place_request, expiration, FIELD_OPTIONAL),
	FIELDS_END,
};

static bool download_check(struct call *call, struct error *err)
{
	struct place_request *r = call->request;
	return artifact_path_parse_below_root(r->path, call->arena, &r->path, err) &&
	       check_expiration(r, err);
}

static bool download_execute(struct call *call, struct db *tracker, struct error *err)
{
	struct direct_url *direct = new_url(call, "presigned_url");
	struct slice path;
	return find_path(call, tracker, &path, err) && set_size(tracker, direct, path, err) &&
	       set_url(call, direct, path, err);
}

const struct endpoint presigned_download = {
	.kind = ENDPOINT_READ,
	.fields_or_null = download_fields,
	.request_bytes = sizeof(struct place_request),
	.check = download_check,
	.execute = download_execute,
	.encode = encode,
	.summary = "Under which URL a run's file can be downloaded",
};
