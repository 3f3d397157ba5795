-- Versions that were deleted and can be restored from registry_events. Until their time is up, what they need stays when
-- deleted runs, logged models and experiments are removed for good. A row goes when its version is restored.
CREATE TABLE deleted_versions (
	model_seq     INTEGER NOT NULL, -- the model's in registry_events
	version       INTEGER NOT NULL,
	model         TEXT NOT NULL,    -- its name when the version was deleted
	deleted_ms    INTEGER NOT NULL,
	run_id        TEXT NOT NULL,    -- '' for none, as in model_versions
	model_id      TEXT NOT NULL,
	artifact_path TEXT,
	PRIMARY KEY (model_seq, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX deleted_versions_by_run ON deleted_versions (run_id) WHERE run_id <> '';
CREATE INDEX deleted_versions_by_model_id ON deleted_versions (model_id) WHERE model_id <> '';
CREATE INDEX deleted_versions_by_artifact_path ON deleted_versions (artifact_path);
