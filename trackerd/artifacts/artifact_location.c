/* Owns the way from a run or a logged model to the path of its artifacts. */
#include "artifacts/artifact_location.h"

#include "artifacts/artifact_path.h"

/* The one text that the statement gives for `id`; absent when there is no row. */
static bool read_uri(struct db *tracker, struct sql sql, struct slice id, struct arena *arena,
		     struct slice *out, struct error *err)
{
	struct db_statement *st = db_prepare(tracker, sql, err);
	bool found;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, id);
	if (!db_fetch_one(st, &found, err))
		return false;
	*out = found ? db_column_copy(st, 0, arena) : (struct slice){0};
	db_reset(st);
	return true;
}

static bool give_location(struct slice uri, struct arena *arena, struct slice *uri_out,
			  struct slice *path_out, struct error *err)
{
	if (!artifact_path_from_uri(uri, arena, path_out, err))
		return false;
	*uri_out = uri;
	return true;
}

bool artifact_location_of_run(struct db *tracker, struct slice run_id, struct arena *arena,
			      struct slice *uri_out, struct slice *path_out, struct error *err)
{
	struct slice uri;
	char quoted[128];
	if (!read_uri(tracker, SQL("SELECT artifact_uri FROM runs WHERE run_id = $1"), run_id,
		      arena, &uri, err))
		return false;
	if (!slice_is_present(uri))
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found",
				 error_quote(run_id, quoted, sizeof(quoted)));
	return give_location(uri, arena, uri_out, path_out, err);
}

bool artifact_location_of_logged_model(struct db *tracker, struct slice model_id,
				       struct arena *arena, struct slice *uri_out,
				       struct slice *path_out, struct error *err)
{
	struct slice uri;
	char quoted[128];
	if (!read_uri(tracker,
		      SQL("SELECT artifact_uri FROM logged_models"
			  " WHERE model_id = $1 AND is_deleted = 0"),
		      model_id, arena, &uri, err))
		return false;
	if (!slice_is_present(uri))
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST,
				 "Logged model with ID '%s' not found.",
				 error_quote(model_id, quoted, sizeof(quoted)));
	return give_location(uri, arena, uri_out, path_out, err);
}
