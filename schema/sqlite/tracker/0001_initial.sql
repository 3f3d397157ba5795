-- tracker.db, version 1: experiments, runs and what they log, the registry, the tree of artifacts.
--
-- Conventions: tables plural, columns singular; _pk surrogate integer, _id public id, _ms milliseconds since 1970 UTC;
-- booleans are 0/1. NaN cannot be stored as REAL (SQLite turns it into NULL), so a value NULL with its is_nan flag
-- set is a NaN; infinities are stored as they are.

-- Every metric, param and tag name once; rows below refer to it by number.
CREATE TABLE names (
	name_pk INTEGER PRIMARY KEY,
	name    TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE experiments (
	experiment_id       INTEGER PRIMARY KEY AUTOINCREMENT,
	name                TEXT NOT NULL UNIQUE,
	artifact_location   TEXT NOT NULL,
	is_deleted          INTEGER NOT NULL DEFAULT 0,
	creation_time_ms    INTEGER NOT NULL,
	last_update_time_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE experiment_tags (
	experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
	key           TEXT NOT NULL,
	value         TEXT NOT NULL,
	PRIMARY KEY (experiment_id, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
	run_pk          INTEGER PRIMARY KEY,
	run_id          TEXT NOT NULL UNIQUE,
	experiment_id   INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
	name            TEXT NOT NULL,
	user_id         TEXT NOT NULL DEFAULT '',
	status          TEXT NOT NULL,              -- RUNNING SCHEDULED FINISHED FAILED KILLED
	start_time_ms   INTEGER NOT NULL,
	end_time_ms     INTEGER,
	artifact_uri    TEXT NOT NULL,
	is_deleted      INTEGER NOT NULL DEFAULT 0,
	deleted_time_ms INTEGER
) STRICT;

-- The default order of every listing (start_time DESC, run_id), so that a page costs a page.
CREATE INDEX runs_by_experiment ON runs (experiment_id, is_deleted, start_time_ms DESC, run_id);

CREATE TABLE run_tags (
	run_pk  INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	name_pk INTEGER NOT NULL REFERENCES names,
	value   TEXT NOT NULL,
	PRIMARY KEY (run_pk, name_pk)
) STRICT, WITHOUT ROWID;

CREATE TABLE params (
	run_pk  INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	name_pk INTEGER NOT NULL REFERENCES names,
	value   TEXT NOT NULL,
	PRIMARY KEY (run_pk, name_pk)
) STRICT, WITHOUT ROWID;

-- One row per curve, kept up to date by every batch: what searches and tables need without reading points.
-- last_* is MLflow's latest metric: greatest (step, timestamp, value), NaN ranking as 0.
CREATE TABLE metric_series (
	run_pk                INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	name_pk               INTEGER NOT NULL REFERENCES names,
	experiment_id         INTEGER NOT NULL,   -- of the run, for the index below
	last_value            REAL,               -- NULL: NaN
	last_step             INTEGER NOT NULL,   -- also the greatest step
	last_timestamp_ms     INTEGER NOT NULL,
	min_value             REAL,               -- NULL: all points are NaN
	min_step              INTEGER,            -- least step with that value
	max_value             REAL,
	max_step              INTEGER,
	first_step            INTEGER NOT NULL,   -- least step of all points
	first_timestamp_ms    INTEGER NOT NULL,   -- least time of all points
	greatest_timestamp_ms INTEGER NOT NULL,   -- last_timestamp_ms is that of the greatest step
	point_count           INTEGER NOT NULL,   -- exact once compacted; repeats in the tail are counted until then
	PRIMARY KEY (run_pk, name_pk)
) STRICT, WITHOUT ROWID;

-- "Best run by metric": the first rows of this index.
CREATE INDEX metric_series_by_value ON metric_series (experiment_id, name_pk, last_value, run_pk);

-- Accepted batches in order of arrival; the durable ingest path. Codec: trackerd/store/metric_codec.h.
CREATE TABLE metric_tail (
	run_pk      INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	seq         INTEGER NOT NULL,
	point_count INTEGER NOT NULL,
	data        BLOB NOT NULL,
	PRIMARY KEY (run_pk, seq)
) STRICT, WITHOUT ROWID;

-- Runs that have a tail, what is in it, and how far a compaction of it has come (trackerd/store/metric_tail.h).
CREATE TABLE metric_tail_runs (
	run_pk       INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE,
	next_seq     INTEGER NOT NULL,
	row_count    INTEGER NOT NULL,
	point_count  INTEGER NOT NULL,
	is_due       INTEGER NOT NULL,            -- long enough to be compacted while the run goes on
	pass_seq     INTEGER NOT NULL DEFAULT 0,  -- of rows below this seq …
	pass_name_pk INTEGER NOT NULL DEFAULT 0   -- … the names below this one are in chunks already
) STRICT;

CREATE INDEX metric_tail_runs_due ON metric_tail_runs (run_pk) WHERE is_due = 1;

-- Compacted curves: points of one series in columns, ordered by (timestamp, step, value). No point is in two chunks,
-- but their ranges may overlap. first_* and last_* are those of the first and last point in that order.
CREATE TABLE metric_chunks (
	run_pk             INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	name_pk            INTEGER NOT NULL REFERENCES names,
	last_timestamp_ms  INTEGER NOT NULL,
	last_step          INTEGER NOT NULL,
	seq                INTEGER NOT NULL,      -- tells chunks with the same end apart
	first_timestamp_ms INTEGER NOT NULL,
	first_step         INTEGER NOT NULL,
	first_value        REAL,                  -- NULL: NaN
	last_value         REAL,
	min_value          REAL,                  -- NULL: all points are NaN
	max_value          REAL,
	least_step         INTEGER NOT NULL,
	greatest_step      INTEGER NOT NULL,
	is_step_ordered    INTEGER NOT NULL,      -- steps never fall: first and last are so by step, too
	point_count        INTEGER NOT NULL,
	nan_count          INTEGER NOT NULL,
	data               BLOB NOT NULL,
	PRIMARY KEY (run_pk, name_pk, last_timestamp_ms, last_step, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE datasets (
	dataset_pk    INTEGER PRIMARY KEY,
	experiment_id INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
	name          TEXT NOT NULL,
	digest        TEXT NOT NULL,
	source_type   TEXT NOT NULL,
	source        TEXT NOT NULL,
	schema        TEXT,
	profile       TEXT,
	UNIQUE (experiment_id, name, digest)
) STRICT;

CREATE TABLE run_datasets (
	run_pk     INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	dataset_pk INTEGER NOT NULL REFERENCES datasets ON DELETE CASCADE,
	PRIMARY KEY (run_pk, dataset_pk)
) STRICT, WITHOUT ROWID;

CREATE INDEX run_datasets_by_dataset ON run_datasets (dataset_pk);

CREATE TABLE run_dataset_tags (
	run_pk     INTEGER NOT NULL,
	dataset_pk INTEGER NOT NULL,
	key        TEXT NOT NULL,
	value      TEXT NOT NULL,
	PRIMARY KEY (run_pk, dataset_pk, key),
	FOREIGN KEY (run_pk, dataset_pk) REFERENCES run_datasets ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Registry.
CREATE TABLE registered_models (
	model_pk             INTEGER PRIMARY KEY,
	name                 TEXT NOT NULL UNIQUE,
	description          TEXT NOT NULL DEFAULT '',
	creation_time_ms     INTEGER NOT NULL,
	last_updated_time_ms INTEGER NOT NULL,
	last_version         INTEGER NOT NULL DEFAULT 0   -- greatest number ever given: never used again
) STRICT;

CREATE TABLE registered_model_tags (
	model_pk INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
	key      TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (model_pk, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_versions (
	model_pk             INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
	version              INTEGER NOT NULL,
	description          TEXT NOT NULL DEFAULT '',
	user_id              TEXT NOT NULL DEFAULT '',
	stage                TEXT NOT NULL DEFAULT 'None',
	source               TEXT NOT NULL,
	storage_location     TEXT NOT NULL,               -- what get-download-uri answers
	run_id               TEXT NOT NULL DEFAULT '',
	run_link             TEXT NOT NULL DEFAULT '',
	status               TEXT NOT NULL DEFAULT 'READY',
	status_message       TEXT NOT NULL DEFAULT '',
	creation_time_ms     INTEGER NOT NULL,
	last_updated_time_ms INTEGER NOT NULL,
	PRIMARY KEY (model_pk, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX model_versions_by_run ON model_versions (run_id) WHERE run_id <> '';

CREATE TABLE model_version_tags (
	model_pk INTEGER NOT NULL,
	version  INTEGER NOT NULL,
	key      TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (model_pk, version, key),
	FOREIGN KEY (model_pk, version) REFERENCES model_versions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE model_aliases (
	model_pk INTEGER NOT NULL,
	alias    TEXT NOT NULL,
	version  INTEGER NOT NULL,
	PRIMARY KEY (model_pk, alias),
	FOREIGN KEY (model_pk, version) REFERENCES model_versions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE INDEX model_aliases_by_version ON model_aliases (model_pk, version);

-- Artifacts: a tree of directories whose files are byte ranges of blobs (artifacts.db). The row is what makes an
-- artifact exist; it is written only after its blob is durable. The root directory is dir_pk 1 with path '';
-- any other directory exists as long as there is a file below it.
CREATE TABLE artifact_dirs (
	dir_pk    INTEGER PRIMARY KEY,
	parent_pk INTEGER REFERENCES artifact_dirs,
	path      TEXT NOT NULL UNIQUE
) STRICT;

CREATE INDEX artifact_dirs_by_parent ON artifact_dirs (parent_pk, path);

CREATE TABLE artifact_files (
	dir_pk      INTEGER NOT NULL REFERENCES artifact_dirs,
	name        TEXT NOT NULL,
	blob_pk     INTEGER NOT NULL,
	blob_offset INTEGER NOT NULL,
	size        INTEGER NOT NULL,
	sha256      BLOB NOT NULL,                -- of the file's own bytes
	modified_ms INTEGER NOT NULL,
	PRIMARY KEY (dir_pk, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX artifact_files_by_blob ON artifact_files (blob_pk);

INSERT INTO artifact_dirs (dir_pk, parent_pk, path) VALUES (1, NULL, '');
