-- Logged models that an import made, as run_imports is for runs.

CREATE TABLE logged_model_imports (
	logged_model_pk     INTEGER PRIMARY KEY REFERENCES logged_models ON DELETE CASCADE,
	source_artifact_uri TEXT NOT NULL,
	is_whole            INTEGER NOT NULL DEFAULT 0
) STRICT;
