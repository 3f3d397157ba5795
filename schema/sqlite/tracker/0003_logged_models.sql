-- tracker.db, version 3: logged models, the models that runs took in and gave out, and the model behind a model version.

CREATE TABLE logged_models (
	logged_model_pk      INTEGER PRIMARY KEY,
	model_id             TEXT NOT NULL UNIQUE,       -- "m-" and 32 hexadecimal digits
	experiment_id        INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
	name                 TEXT NOT NULL,              -- not unique
	model_type           TEXT NOT NULL DEFAULT '',
	source_run_id        TEXT NOT NULL DEFAULT '',   -- a text: there need not be such a run
	status               TEXT NOT NULL,              -- UNSPECIFIED PENDING READY FAILED
	status_message       TEXT,
	artifact_uri         TEXT NOT NULL,
	is_deleted           INTEGER NOT NULL DEFAULT 0,
	creation_time_ms     INTEGER NOT NULL,
	last_updated_time_ms INTEGER NOT NULL
) STRICT;

-- The default order of a search (creation_time DESC, model_id), so that a page costs a page.
CREATE INDEX logged_models_by_experiment
	ON logged_models (experiment_id, is_deleted, creation_time_ms DESC, model_id);

-- "The models of this run": what clients ask when they load runs:/ID/NAME.
CREATE INDEX logged_models_by_source_run ON logged_models (source_run_id);

CREATE TABLE logged_model_tags (
	logged_model_pk INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
	key             TEXT NOT NULL,
	value           TEXT NOT NULL,
	PRIMARY KEY (logged_model_pk, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE logged_model_params (
	logged_model_pk INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
	key             TEXT NOT NULL,
	value           TEXT NOT NULL,
	PRIMARY KEY (logged_model_pk, key)
) STRICT, WITHOUT ROWID;

-- The points that were logged for a model. They are points of their run as well, which keeps its curves by itself; a
-- model has few of them, and all are given out with it. '' where no dataset was named.
CREATE TABLE logged_model_metrics (
	metric_pk       INTEGER PRIMARY KEY,
	logged_model_pk INTEGER NOT NULL REFERENCES logged_models ON DELETE CASCADE,
	name_pk         INTEGER NOT NULL REFERENCES names,
	timestamp_ms    INTEGER NOT NULL,
	step            INTEGER NOT NULL,
	run_pk          INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	dataset_name    TEXT NOT NULL DEFAULT '',
	dataset_digest  TEXT NOT NULL DEFAULT '',
	value           REAL,                            -- NULL: NaN
	UNIQUE (logged_model_pk, name_pk, timestamp_ms, step, run_pk, dataset_name, dataset_digest)
) STRICT;

CREATE INDEX logged_model_metrics_by_run ON logged_model_metrics (run_pk);

-- Model ids are texts: what a run says of a model stands whether this server has the model or not.
CREATE TABLE run_model_inputs (
	run_pk   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	model_id TEXT NOT NULL,
	PRIMARY KEY (run_pk, model_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE run_model_outputs (
	run_pk   INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE,
	model_id TEXT NOT NULL,
	step     INTEGER NOT NULL,
	PRIMARY KEY (run_pk, model_id)
) STRICT, WITHOUT ROWID;

ALTER TABLE model_versions ADD COLUMN model_id TEXT NOT NULL DEFAULT '';

CREATE INDEX model_versions_by_logged_model ON model_versions (model_id) WHERE model_id <> '';
