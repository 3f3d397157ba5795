-- Webhooks: who wants to hear of what, the outbox of events, and the log of their delivery.
--
-- An event is written in the transaction of the change it tells of, once, with a delivery for each webhook that asked
-- for it. Nothing is written when nobody asked.

CREATE TABLE webhooks (
	webhook_pk           INTEGER PRIMARY KEY AUTOINCREMENT,   -- in order of creation
	webhook_id           TEXT NOT NULL UNIQUE,
	name                 TEXT NOT NULL,
	description          TEXT NOT NULL DEFAULT '',
	url                  TEXT NOT NULL,
	secret               TEXT NOT NULL DEFAULT '',            -- as it was given; '' for none
	is_active            INTEGER NOT NULL DEFAULT 1,
	pending_count        INTEGER NOT NULL DEFAULT 0,          -- deliveries of it that are PENDING
	ended_count          INTEGER NOT NULL DEFAULT 0,          -- and those that are not
	creation_time_ms     INTEGER NOT NULL,
	last_updated_time_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE webhook_events (
	entity     TEXT NOT NULL,
	action     TEXT NOT NULL,
	webhook_pk INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
	PRIMARY KEY (entity, action, webhook_pk)
) STRICT, WITHOUT ROWID;

CREATE INDEX webhook_events_by_webhook ON webhook_events (webhook_pk, entity, action);

CREATE TABLE outbox_events (
	event_pk INTEGER PRIMARY KEY AUTOINCREMENT,
	entity   TEXT NOT NULL,
	action   TEXT NOT NULL,
	time_ms  INTEGER NOT NULL,
	data     TEXT NOT NULL                                    -- a JSON object
) STRICT;

CREATE TABLE webhook_deliveries (
	delivery_pk     INTEGER PRIMARY KEY,
	delivery_id     TEXT NOT NULL UNIQUE,                     -- what the receiver knows it by, at every attempt
	webhook_pk      INTEGER NOT NULL REFERENCES webhooks ON DELETE CASCADE,
	event_pk        INTEGER NOT NULL REFERENCES outbox_events ON DELETE CASCADE,
	state           TEXT NOT NULL,                            -- PENDING DELIVERED FAILED
	position        INTEGER NOT NULL,                         -- order of sending, within its webhook
	queued_ms       INTEGER NOT NULL,                         -- when it was queued, or queued again
	next_attempt_ms INTEGER NOT NULL,                         -- not before, while PENDING
	attempt_count   INTEGER NOT NULL DEFAULT 0,
	UNIQUE (webhook_pk, position)
) STRICT;

CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (webhook_pk, position) WHERE state = 'PENDING';
CREATE INDEX webhook_deliveries_ended ON webhook_deliveries (webhook_pk, position) WHERE state <> 'PENDING';
CREATE INDEX webhook_deliveries_by_event ON webhook_deliveries (event_pk);

CREATE TABLE webhook_attempts (
	delivery_pk     INTEGER NOT NULL REFERENCES webhook_deliveries ON DELETE CASCADE,
	attempt         INTEGER NOT NULL,                         -- 1, 2, …
	time_ms         INTEGER NOT NULL,
	duration_ms     INTEGER NOT NULL,
	response_status INTEGER NOT NULL DEFAULT 0,               -- 0: there was no answer
	response_body   TEXT NOT NULL DEFAULT '',                 -- its first bytes
	error_message   TEXT NOT NULL DEFAULT '',                 -- why there was no answer
	PRIMARY KEY (delivery_pk, attempt)
) STRICT, WITHOUT ROWID;
