-- artifacts.db, version 2: a blob may consist of whole other blobs, the parts of an upload, without copying them.
CREATE TABLE blob_parts (
	blob_pk      INTEGER NOT NULL REFERENCES blobs,  -- has no chunks of its own
	begin_offset INTEGER NOT NULL,                   -- in the blob: where the part begins
	part_pk      INTEGER NOT NULL REFERENCES blobs,  -- has chunks, never parts
	PRIMARY KEY (blob_pk, begin_offset)
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_parts_by_part ON blob_parts (part_pk);
