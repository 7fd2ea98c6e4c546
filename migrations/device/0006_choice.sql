-- What the tablet's person chose. A table with row ids, as the log and the drafts are: a rescue finds its rows.
CREATE TABLE choice (
    name   TEXT NOT NULL UNIQUE,
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1)),
    at     INTEGER NOT NULL
) STRICT;

-- The photos that arrived last are listed.
CREATE INDEX upload_arrived ON upload (at) WHERE role = 'original' AND state = 'verified';

-- Whether the office has the original of a photo that is not here, as it said when it was asked last.
ALTER TABLE blob ADD COLUMN at_office INTEGER CHECK (at_office IN (0, 1));
