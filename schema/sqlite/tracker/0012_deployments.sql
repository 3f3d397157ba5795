-- Deployments: what really runs where, as the targets themselves report it, and what they reported before.
--
-- A model is meant by its name, and none of it has to be in the registry (any more): what runs, runs.

CREATE TABLE deployments (
	deployment_pk    INTEGER PRIMARY KEY AUTOINCREMENT,    -- in order of their first report
	deployment_id    TEXT NOT NULL UNIQUE,                 -- made by the target, once
	last_seen_ms     INTEGER NOT NULL,                     -- its last report or heartbeat
	heartbeat_ms     INTEGER NOT NULL,                     -- how often it says that it is there; 0: it does not
	stale_since_ms   INTEGER,                              -- NULL: it is not
	change_seq       INTEGER NOT NULL,                     -- its latest row of deployment_changes
	state            TEXT NOT NULL,                        -- as reported: deploying active rolled_back failed
	since_ms         INTEGER NOT NULL,                     -- this state and version
	model            TEXT NOT NULL,
	version          INTEGER NOT NULL,                     -- what is in place, or while deploying is being put there; 0: nothing
	previous_version INTEGER NOT NULL,                     -- 0: none
	alias            TEXT NOT NULL,                        -- that it follows; '' when it was given a number
	environment      TEXT NOT NULL,
	target           TEXT NOT NULL,
	host             TEXT NOT NULL,
	path             TEXT NOT NULL,
	reason           TEXT NOT NULL,
	actor            TEXT NOT NULL
) STRICT;

CREATE INDEX deployments_by_model ON deployments (model, version);

-- Everything about a deployment after each change of it. Outlives a deployment that is forgotten.
CREATE TABLE deployment_changes (
	change_seq       INTEGER PRIMARY KEY AUTOINCREMENT,    -- over all deployments
	deployment_id    TEXT NOT NULL,
	time_ms          INTEGER NOT NULL,
	state            TEXT NOT NULL,                        -- also stale, forgotten
	since_ms         INTEGER NOT NULL,
	last_seen_ms     INTEGER NOT NULL,
	heartbeat_ms     INTEGER NOT NULL,
	model            TEXT NOT NULL,
	version          INTEGER NOT NULL,
	previous_version INTEGER NOT NULL,
	alias            TEXT NOT NULL,
	environment      TEXT NOT NULL,
	target           TEXT NOT NULL,
	host             TEXT NOT NULL,
	path             TEXT NOT NULL,
	reason           TEXT NOT NULL,
	actor            TEXT NOT NULL                         -- '' when it was the daemon that noticed
) STRICT;

CREATE INDEX deployment_changes_by_deployment ON deployment_changes (deployment_id, change_seq);
