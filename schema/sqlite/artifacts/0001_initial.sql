-- artifacts.db, version 1: the bytes. A blob is a run of chunks, named by its SHA-256 once it is complete.
CREATE TABLE blobs (
	blob_pk INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again, so that a stale number points at nothing
	sha256  BLOB UNIQUE,                        -- NULL while an upload is under way, or a sweep took it away
	size    INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE blob_chunks (
	blob_pk INTEGER NOT NULL REFERENCES blobs,
	seq     INTEGER NOT NULL,                   -- chunk `seq` holds the bytes from seq × 1 MiB
	data    BLOB NOT NULL,
	PRIMARY KEY (blob_pk, seq)
) STRICT;
