/* Owns the way from a run to the path of its artifacts. */
#include "artifacts/artifact_location.h"

#include "artifacts/artifact_path.h"

bool artifact_location_of_run(struct db *tracker, struct slice run_id, struct arena *arena,
			      struct slice *uri_out, struct slice *path_out, struct error *err)
{
	struct db_statement *st =
		db_prepare(tracker, SQL("SELECT artifact_uri FROM runs WHERE run_id = $1"), err);
	char quoted[128];
	bool found;
	if (st == NULL)
		return false;
	db_bind_text(st, 1, run_id);
	if (!db_fetch_one(st, &found, err))
		return false;
	struct slice uri = found ? db_column_copy(st, 0, arena) : (struct slice){0};
	db_reset(st);
	if (!found)
		return error_set(err, ERR_RESOURCE_DOES_NOT_EXIST, "Run with id=%s not found",
				 error_quote(run_id, quoted, sizeof(quoted)));
	if (!artifact_path_from_uri(uri, arena, path_out, err))
		return false;
	*uri_out = uri;
	return true;
}
