-- The registry's memory: one row for every change of it, in a chain of digests (store/registry_history.h).
--
-- Rows are only ever added. event_seq counts 1, 2, 3, … over all models without gaps, times never go back, and sha256 covers
-- the digest of the row before and every other field of its own. What a row tells of is (model_seq, version, part, key):
-- the newest row of it up to a moment says how it was then.
CREATE TABLE registry_events (
	event_seq     INTEGER PRIMARY KEY,
	time_ms       INTEGER NOT NULL,
	model_seq     INTEGER NOT NULL,   -- event_seq of the event that this model began with: what it is, whatever its name
	model         TEXT NOT NULL,      -- its name after the change
	kind          TEXT NOT NULL,      -- "alias.set"
	version       INTEGER NOT NULL,   -- of which a part changed; 0: of the model itself
	part          INTEGER NOT NULL,   -- enum registry_part
	key           TEXT NOT NULL,      -- the alias, or the tag's key; else ''
	alias_version INTEGER NOT NULL,   -- where the alias points now, or pointed when it was deleted; else 0
	actor         TEXT NOT NULL,
	client        TEXT NOT NULL,
	cause         TEXT NOT NULL,
	reason        TEXT NOT NULL,
	detail_json   TEXT,
	before_json   TEXT,               -- NULL: it was not there
	after_json    TEXT,               -- NULL: it is not there any more
	sha256        BLOB NOT NULL
) STRICT;

CREATE INDEX registry_events_by_model ON registry_events (model_seq, event_seq);
CREATE INDEX registry_events_by_subject ON registry_events (model_seq, version, part, key, event_seq);
-- Who was called what: the rows that give, change or end a name.
CREATE INDEX registry_events_by_name ON registry_events (model, event_seq) WHERE version = 0 AND part <= 1;

-- The end of the chain. One row, which every event changes.
CREATE TABLE registry_head (
	head_pk   INTEGER PRIMARY KEY CHECK (head_pk = 1),
	event_seq INTEGER NOT NULL,
	time_ms   INTEGER NOT NULL,
	sha256    BLOB NOT NULL
) STRICT;

INSERT INTO registry_head VALUES (1, 0, 0, zeroblob(32));

-- The model's model_seq in registry_events; 0: it stood before there was a memory, and is adopted at the next start.
ALTER TABLE registered_models ADD COLUMN model_seq INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX registered_models_by_seq ON registered_models (model_seq) WHERE model_seq <> 0;
