-- What was typed and not recorded yet. It stood among the facts, whose rows a rescue does not find: it cannot be made
-- again, so it lies in a table with row ids, as the log does.
CREATE TABLE draft (
    name TEXT NOT NULL UNIQUE,                                -- as the screen calls it
    text TEXT NOT NULL,
    at   INTEGER NOT NULL                                     -- when it was typed
) STRICT;
INSERT INTO draft (name, text, at) SELECT substr(name, length('draft:') + 1), value, 0 FROM fact WHERE name GLOB 'draft:*';
DELETE FROM fact WHERE name GLOB 'draft:*';
