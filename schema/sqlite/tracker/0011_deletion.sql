-- Which model versions need a path of the artifact tree: asked before anything below it is deleted or replaced. The
-- column is what storage_location names in this server's tree ("mlflow-artifacts:/1/ab" and
-- "mlflow-artifacts://host/1/ab" are both "1/ab"), NULL for files that are kept elsewhere.
ALTER TABLE model_versions ADD COLUMN artifact_path TEXT GENERATED ALWAYS AS (
	CASE
		WHEN substr(storage_location, 1, 19) = 'mlflow-artifacts://'
			THEN trim(substr(storage_location, 19 + instr(substr(storage_location, 20), '/')), '/')
		WHEN substr(storage_location, 1, 17) = 'mlflow-artifacts:'
			THEN trim(substr(storage_location, 18), '/')
	END
) VIRTUAL;

CREATE INDEX model_versions_by_artifact_path ON model_versions (artifact_path);

-- What was deleted, for the walk that removes it for good. is_deleted is 2 of what is being removed (store/garbage.h).
CREATE INDEX runs_deleted ON runs (run_pk) WHERE is_deleted > 0;
