-- Uploads that come in parts, each of which is a blob of artifacts.db until all of them are made into one file.
CREATE TABLE multipart_uploads (
	upload_pk   INTEGER PRIMARY KEY,
	upload_id   TEXT NOT NULL UNIQUE,              -- 128 random bits: who knows it may send parts
	path        TEXT NOT NULL,
	part_count  INTEGER NOT NULL,
	is_complete INTEGER NOT NULL DEFAULT 0,        -- the file is there and the parts are gone
	created_ms  INTEGER NOT NULL,
	touched_ms  INTEGER NOT NULL                   -- when it was created, got its last part, or became complete
) STRICT;

CREATE INDEX multipart_uploads_by_touched ON multipart_uploads (touched_ms);

CREATE TABLE multipart_parts (
	upload_pk   INTEGER NOT NULL REFERENCES multipart_uploads,
	part_number INTEGER NOT NULL,                  -- 1 to part_count
	blob_pk     INTEGER NOT NULL,
	size        INTEGER NOT NULL,
	sha256      BLOB NOT NULL,
	PRIMARY KEY (upload_pk, part_number)
) STRICT, WITHOUT ROWID;

CREATE INDEX multipart_parts_by_blob ON multipart_parts (blob_pk);
