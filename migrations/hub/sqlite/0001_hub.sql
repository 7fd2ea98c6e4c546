-- The hub's store. Identifiers are UUIDs of 16 bytes, hashes SHA-256 of 32; times are milliseconds since 1970 UTC.

-- The hub itself: who it is, and where the clock of its own operations stands.
CREATE TABLE hub (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    device BLOB NOT NULL,
    key BLOB NOT NULL,
    epoch BLOB NOT NULL,
    clock INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The log. Operations are numbered within their scope in the order of commit: the one writer sees to that.

CREATE TABLE op (
    scope BLOB NOT NULL,
    seq INTEGER NOT NULL,
    op_id BLOB NOT NULL UNIQUE,
    tx BLOB NOT NULL,
    entity TEXT NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    received INTEGER NOT NULL,
    -- The checksum of the scope up to here; a sum of 64 bits, kept as its bits.
    checksum INTEGER NOT NULL,
    -- As its author wrote it, byte for byte.
    body TEXT NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT;
CREATE INDEX op_of_record ON op (id, kind);

-- One link for each operation that arrived, whatever became of it.
CREATE TABLE chain (
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    dev_seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
) STRICT, WITHOUT ROWID;

-- What arrived and was not applied, as it came.
CREATE TABLE quarantine (
    device BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    dev_seq INTEGER NOT NULL,
    op_id BLOB,
    tx BLOB,
    entity TEXT NOT NULL,
    field TEXT,
    code TEXT NOT NULL,
    detail TEXT NOT NULL,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
) STRICT;
CREATE INDEX quarantine_by_time ON quarantine (at);
CREATE INDEX quarantine_of_tx ON quarantine (device, tx);

-- Projections of the log. They can be dropped and made again at any time; a record is kept as its JSON, with the
-- columns that are searched and joined by beside it.

-- A field with its sides, the shown one first.
CREATE TABLE register (
    id BLOB NOT NULL,
    field TEXT NOT NULL,
    sides TEXT NOT NULL,
    PRIMARY KEY (id, field)
) STRICT, WITHOUT ROWID;

-- A member of a field that holds several.
CREATE TABLE member (
    id BLOB NOT NULL,
    field TEXT NOT NULL,
    rev BLOB NOT NULL,
    hlc INTEGER NOT NULL,
    side TEXT NOT NULL,
    -- Of evidence: the hash of its bytes.
    sha256 BLOB,
    PRIMARY KEY (id, field, rev)
) STRICT, WITHOUT ROWID;
CREATE INDEX member_of_bytes ON member (sha256) WHERE sha256 IS NOT NULL;

-- The operation whose value was signed.
CREATE TABLE pin (
    id BLOB NOT NULL,
    field TEXT NOT NULL,
    rev BLOB NOT NULL,
    PRIMARY KEY (id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
    id BLOB PRIMARY KEY,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE place (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE asset (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE unit (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE round (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    due TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE checks (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    round BLOB NOT NULL,
    asset BLOB NOT NULL,
    ord INTEGER NOT NULL,
    items INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX checks_of_round ON checks (round, ord);

CREATE TABLE finding (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    check_id BLOB NOT NULL,
    -- Whether its item's answer is a fail.
    live INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_of_check ON finding (check_id);

CREATE TABLE issue (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    number INTEGER NOT NULL,
    status TEXT NOT NULL,
    unit BLOB,
    finding BLOB,
    changed INTEGER NOT NULL,
    record TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_by_number ON issue (scope, number);

CREATE TABLE sign_off (
    id BLOB PRIMARY KEY,
    scope BLOB NOT NULL,
    round BLOB NOT NULL,
    unit BLOB NOT NULL,
    seq INTEGER NOT NULL,
    -- The seal, with the hub's signature.
    jws TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_off_of_round ON sign_off (round, seq);

-- Who may come in. Of every secret only a hash is kept.

CREATE TABLE account (
    name TEXT PRIMARY KEY,
    password TEXT NOT NULL,
    person BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token BLOB PRIMARY KEY,
    person BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE enrolment (
    code BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    person BLOB NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    id BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    person BLOB NOT NULL,
    site BLOB NOT NULL,
    -- The public key, as the `x` of a JWK.
    key TEXT NOT NULL,
    token BLOB NOT NULL UNIQUE,
    revoked INTEGER NOT NULL DEFAULT 0,
    version TEXT NOT NULL,
    last_seen INTEGER NOT NULL,
    -- By how many milliseconds its clock ran ahead at the last handshake.
    ahead INTEGER
) STRICT, WITHOUT ROWID;

-- Where the bytes of photos and clips are. The bytes themselves lie outside of the database.

-- Bytes that are here, re-read and hashed.
CREATE TABLE blob (
    sha256 BLOB PRIMARY KEY,
    bytes INTEGER NOT NULL,
    media_type TEXT NOT NULL,
    verified_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The small picture of an original.
CREATE TABLE thumbnail (
    of BLOB PRIMARY KEY,
    sha256 BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE upload (
    id BLOB PRIMARY KEY,
    sha256 BLOB NOT NULL,
    bytes INTEGER NOT NULL,
    arrived INTEGER NOT NULL,
    device BLOB NOT NULL,
    opened INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX upload_of_bytes ON upload (sha256, device);
