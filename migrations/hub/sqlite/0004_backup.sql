-- How far the last whole backup holds each chain. What is told out of it must never be more than is there, so that it is
-- written only once a backup is whole.
CREATE TABLE backed_up (
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    dev_seq INTEGER NOT NULL,
    PRIMARY KEY (device, incarnation)
) STRICT, WITHOUT ROWID;
