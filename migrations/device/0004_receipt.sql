-- The hub's marks under what it numbered: with them a hub that lost its disk takes it back. They come with each pull. A
-- rescue knows them by their shape: 16 bytes and a text, in a table without row ids.
CREATE TABLE receipt (
    op_id BLOB PRIMARY KEY CHECK (length(op_id) = 16),
    mark  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
