-- What was set aside and somebody has seen to. It stays where it is, and is listed apart from what is still to be looked at.
-- Apart from the quarantine, so that it outlives the moment in which a line is taken out and judged again.
CREATE TABLE seen_to (
    device BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    dev_seq BIGINT NOT NULL,
    -- Who said so, and as they were called then.
    person BYTEA NOT NULL,
    name BYTEA NOT NULL,
    at BIGINT NOT NULL,
    -- 0: that was taken back.
    stands BIGINT NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
);
