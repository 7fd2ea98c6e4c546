-- What was set aside and somebody has seen to: recorded again, amended, or of no use any more. All of it stays where it is;
-- it only asks for nobody any more. A table with row ids, as the log is: a rescue finds its rows by their shape.
CREATE TABLE seen_to (
    what   BLOB NOT NULL UNIQUE CHECK (length(what) IN (16, 32)), -- the operation's id; of a photo the hash of its bytes
    person BLOB NOT NULL,                                         -- who said so
    name   TEXT NOT NULL,                                         -- as they were called then
    at     INTEGER NOT NULL,
    stands INTEGER NOT NULL CHECK (stands IN (0, 1))              -- 0: taken back, or the office has it after all
) STRICT;
