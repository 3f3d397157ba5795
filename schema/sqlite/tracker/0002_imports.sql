-- Runs that an import made, and how far it came with each.

CREATE TABLE run_imports (
	run_pk              INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
	source_artifact_uri TEXT,   -- where its artifacts were: model versions below it are told anew
	digest              TEXT    -- of what was brought over, by the importer's own rule; NULL: it is half there
) STRICT;
