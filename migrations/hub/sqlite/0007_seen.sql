-- What was set aside and somebody has seen to. It stays where it is, and is listed apart from what is still to be looked at.
-- Apart from the quarantine, so that it outlives the moment in which a line is taken out and judged again.
CREATE TABLE seen_to (
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    dev_seq INTEGER NOT NULL,
    -- Who said so, and as they were called then.
    person BLOB NOT NULL,
    name TEXT NOT NULL,
    at INTEGER NOT NULL,
    -- 0: that was taken back.
    stands INTEGER NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
) STRICT, WITHOUT ROWID;
