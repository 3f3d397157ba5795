-- The rules of a model: what a version must fulfil before an alias is moved to it, and the aliases that move only by a
-- promotion. What they were before is in registry_events.

-- In the order they were given, in the canonical spelling of trackerd/search/requirement.h.
CREATE TABLE model_requirements (
	model_pk    INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
	position    INTEGER NOT NULL,
	requirement TEXT NOT NULL,
	PRIMARY KEY (model_pk, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE model_protected_aliases (
	model_pk INTEGER NOT NULL REFERENCES registered_models ON DELETE CASCADE,
	alias    TEXT NOT NULL,
	PRIMARY KEY (model_pk, alias)
) STRICT, WITHOUT ROWID;
