-- tracker.db, version 6: traces of applications, and what people and judges say of them.

CREATE TABLE traces (
	trace_pk          INTEGER PRIMARY KEY,
	trace_id          TEXT NOT NULL UNIQUE,
	experiment_id     INTEGER NOT NULL REFERENCES experiments ON DELETE CASCADE,
	request_time_ms   INTEGER NOT NULL,
	execution_time_ms INTEGER,               -- NULL: not known yet
	state             TEXT NOT NULL,         -- OK ERROR IN_PROGRESS STATE_UNSPECIFIED
	client_request_id TEXT,
	request_preview   TEXT,
	response_preview  TEXT
) STRICT;

-- The default order of every listing, so that a page costs a page.
CREATE INDEX traces_by_experiment ON traces (experiment_id, request_time_ms DESC, trace_id);

CREATE TABLE trace_tags (
	trace_pk INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
	key      TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (trace_pk, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_metadata (
	trace_pk INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
	key      TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (trace_pk, key)
) STRICT, WITHOUT ROWID;

-- Runs that traces were linked to. By id on both sides: clients link a trace before they have sent it.
CREATE TABLE trace_runs (
	trace_id TEXT NOT NULL,
	run_id   TEXT NOT NULL,
	PRIMARY KEY (trace_id, run_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trace_prompts (
	trace_pk INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
	prompt   TEXT NOT NULL,                  -- "name/version"
	PRIMARY KEY (trace_pk, prompt)
) STRICT, WITHOUT ROWID;

CREATE TABLE assessments (
	assessment_pk       INTEGER PRIMARY KEY,
	assessment_id       TEXT NOT NULL UNIQUE,
	trace_pk            INTEGER NOT NULL REFERENCES traces ON DELETE CASCADE,
	name                TEXT NOT NULL,
	kind                TEXT NOT NULL,       -- feedback expectation issue
	value               TEXT NOT NULL,       -- JSON; of an issue its name
	is_serialized       INTEGER NOT NULL,    -- an expectation whose JSON travels as a string
	search_text         TEXT NOT NULL,       -- of a JSON string what it says, else as value
	search_number       REAL,                -- of a JSON number; else NULL
	has_error           INTEGER NOT NULL,
	error_code          TEXT,
	error_message       TEXT,
	error_stack_trace   TEXT,
	source_type         TEXT NOT NULL,       -- HUMAN LLM_JUDGE CODE SOURCE_TYPE_UNSPECIFIED
	source_id           TEXT,
	span_id             TEXT,
	rationale           TEXT,
	overrides           TEXT,                -- the assessment_id that this one took the place of
	is_valid            INTEGER NOT NULL,    -- not overridden
	create_time_ms      INTEGER NOT NULL,
	last_update_time_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX assessments_by_trace ON assessments (trace_pk, name);

CREATE TABLE assessment_metadata (
	assessment_pk INTEGER NOT NULL REFERENCES assessments ON DELETE CASCADE,
	key           TEXT NOT NULL,
	value         TEXT NOT NULL,
	PRIMARY KEY (assessment_pk, key)
) STRICT, WITHOUT ROWID;
