/* Owns the rows of deleted_versions. */
#include "store/deleted_versions.h"

bool deleted_versions_add_in_txn(struct db *db, struct model_pk pk, int64_t version_or_0,
				 int64_t now_ms, struct error *err)
{
	struct db_statement *st = db_prepare(
		db,
		SQL("INSERT INTO deleted_versions (model_seq, version, model, deleted_ms, run_id,"
		    " model_id, artifact_path)"
		    " SELECT m.model_seq, v.version, m.name, $1, v.run_id, v.model_id,"
		    " v.artifact_path FROM model_versions AS v JOIN registered_models AS m"
		    " ON m.model_pk = v.model_pk WHERE v.model_pk = $2 AND $3 IN (0, v.version)"
		    " AND m.model_seq <> 0"), /* 0: it has no history to be restored from */
		err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, now_ms);
	db_bind_i64(st, 2, pk.value);
	db_bind_i64(st, 3, version_or_0);
	return db_run(st, err);
}

bool deleted_versions_remove_in_txn(struct db *db, struct model_pk pk, int64_t version,
				    struct error *err)
{
	struct db_statement *st =
		db_prepare(db,
			   SQL("DELETE FROM deleted_versions WHERE version = $1 AND model_seq ="
			       " (SELECT model_seq FROM registered_models WHERE model_pk = $2)"),
			   err);
	if (st == NULL)
		return false;
	db_bind_i64(st, 1, version);
	db_bind_i64(st, 2, pk.value);
	return db_run(st, err);
}
