-- The hub's store, for PostgreSQL 15 and later. Identifiers are UUIDs of 16 bytes, hashes SHA-256 of 32; times are
-- milliseconds since 1970 UTC; what is yes or no is 1 or 0.
--
-- Text that is not the program's own is kept as the bytes of its UTF-8, for PostgreSQL's text takes no U+0000, which an
-- entity, a field, a name or a line that could not be read may hold. So its order is that of its bytes, too. `convert_from(
-- field, 'UTF8')` shows it where it holds none.

-- The hub itself: who it is, and where the clock of its own operations stands. Whoever writes locks this row before it
-- reads anything, so that what several processes judge and number comes one after the other: no cursor skips a row.
CREATE TABLE hub (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    device BYTEA NOT NULL,
    key BYTEA NOT NULL,
    epoch BYTEA NOT NULL,
    clock BIGINT NOT NULL DEFAULT 0,
    -- Backups are numbered in the order in which they begin. What was here before one began lies in it, once it is whole.
    backups_begun BIGINT NOT NULL DEFAULT 0,
    backup_whole BIGINT NOT NULL DEFAULT 0
);

-- The log. Operations are numbered within their scope in the order of commit: the lock on the hub's row sees to that.

CREATE TABLE op (
    -- What came first, whatever its scope. It counts up under the lock, and only its order is used: it may have gaps.
    rowid BIGINT GENERATED ALWAYS AS IDENTITY UNIQUE,
    scope BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    op_id BYTEA NOT NULL UNIQUE,
    tx BYTEA NOT NULL,
    entity BYTEA NOT NULL,
    id BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    received BIGINT NOT NULL,
    -- The checksum of the scope up to here; a sum of 64 bits, kept as its bits.
    checksum BIGINT NOT NULL,
    -- As its author wrote it, byte for byte.
    body TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (scope, seq)
);
CREATE INDEX op_of_record ON op (id, kind);

-- One link for each operation that arrived, whatever became of it.
CREATE TABLE chain (
    device BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    dev_seq BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
);

-- What arrived and was not applied, as it came.
CREATE TABLE quarantine (
    device BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    dev_seq BIGINT NOT NULL,
    op_id BYTEA,
    tx BYTEA,
    entity BYTEA NOT NULL,
    field BYTEA,
    code TEXT COLLATE "C" NOT NULL,
    detail BYTEA NOT NULL,
    at BIGINT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (device, incarnation, dev_seq)
);
CREATE INDEX quarantine_by_time ON quarantine (at);
CREATE INDEX quarantine_of_tx ON quarantine (device, tx);
CREATE INDEX quarantine_of_op ON quarantine (op_id) WHERE op_id IS NOT NULL;

-- Projections of the log. They can be dropped and made again at any time; a record is kept as its JSON, with the
-- columns that are searched and joined by beside it.

-- A field with its sides, the shown one first.
CREATE TABLE register (
    id BYTEA NOT NULL,
    field BYTEA NOT NULL,
    sides TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (id, field)
);

-- A member of a field that holds several.
CREATE TABLE member (
    id BYTEA NOT NULL,
    field BYTEA NOT NULL,
    rev BYTEA NOT NULL,
    hlc BIGINT NOT NULL,
    side TEXT COLLATE "C" NOT NULL,
    -- Of evidence: the hash of its bytes.
    sha256 BYTEA,
    PRIMARY KEY (id, field, rev)
);
CREATE INDEX member_of_bytes ON member (sha256) WHERE sha256 IS NOT NULL;

-- The operation whose value was signed.
CREATE TABLE pin (
    id BYTEA NOT NULL,
    field BYTEA NOT NULL,
    rev BYTEA NOT NULL,
    PRIMARY KEY (id, field)
);

CREATE TABLE site (
    id BYTEA PRIMARY KEY,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE place (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE asset (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE unit (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE person (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE round (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    due TEXT COLLATE "C" NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);

CREATE TABLE checks (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    round BYTEA NOT NULL,
    asset BYTEA NOT NULL,
    ord BIGINT NOT NULL,
    items BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX checks_of_round ON checks (round, ord);

CREATE TABLE finding (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    check_id BYTEA NOT NULL,
    -- Whether its item's answer is a fail.
    live BIGINT NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX finding_of_check ON finding (check_id);

CREATE TABLE issue (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    number BIGINT NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    unit BYTEA,
    finding BYTEA,
    changed BIGINT NOT NULL,
    record TEXT COLLATE "C" NOT NULL
);
CREATE INDEX issue_by_number ON issue (scope, number);

CREATE TABLE sign_off (
    id BYTEA PRIMARY KEY,
    scope BYTEA NOT NULL,
    round BYTEA NOT NULL,
    unit BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    -- The seal, with the hub's signature.
    jws TEXT COLLATE "C" NOT NULL
);
CREATE INDEX sign_off_of_round ON sign_off (round, seq);

-- Who may come in. Of every secret only a hash is kept.

CREATE TABLE account (
    name BYTEA PRIMARY KEY,
    password TEXT COLLATE "C" NOT NULL,
    person BYTEA NOT NULL
);

CREATE TABLE session (
    token BYTEA PRIMARY KEY,
    person BYTEA NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE enrolment (
    code BYTEA PRIMARY KEY,
    name BYTEA NOT NULL,
    person BYTEA NOT NULL,
    expires BIGINT NOT NULL
);

CREATE TABLE device (
    id BYTEA PRIMARY KEY,
    name BYTEA NOT NULL,
    person BYTEA NOT NULL,
    site BYTEA NOT NULL,
    -- The public key, as the `x` of a JWK.
    key BYTEA NOT NULL,
    token BYTEA NOT NULL UNIQUE,
    revoked BIGINT NOT NULL DEFAULT 0,
    version BYTEA NOT NULL,
    last_seen BIGINT NOT NULL,
    -- By how many milliseconds its clock ran ahead at the last handshake.
    ahead BIGINT
);

-- Where the bytes of photos and clips are. The bytes themselves lie outside of the database.

-- Bytes that are here, re-read and hashed.
CREATE TABLE blob (
    sha256 BYTEA PRIMARY KEY,
    bytes BIGINT NOT NULL,
    media_type TEXT COLLATE "C" NOT NULL,
    verified_at BIGINT NOT NULL
);

-- The small picture of an original.
CREATE TABLE thumbnail (
    of BYTEA PRIMARY KEY,
    sha256 BYTEA NOT NULL
);

CREATE TABLE upload (
    id BYTEA PRIMARY KEY,
    sha256 BYTEA NOT NULL,
    bytes BIGINT NOT NULL,
    arrived BIGINT NOT NULL,
    device BYTEA NOT NULL,
    opened BIGINT NOT NULL,
    -- When its last byte came, or it was opened: it is kept for so long behind that.
    touched BIGINT NOT NULL,
    -- What its sender said of it, as it was said.
    metadata BYTEA NOT NULL
);
CREATE UNIQUE INDEX upload_of_bytes ON upload (sha256, device);
CREATE INDEX upload_of_device ON upload (device);

-- How far the last whole backup holds each chain. What is told out of it must never be more than is there, so that it is
-- written only once a backup is whole.
CREATE TABLE backed_up (
    device BYTEA NOT NULL,
    incarnation BIGINT NOT NULL,
    dev_seq BIGINT NOT NULL,
    PRIMARY KEY (device, incarnation)
);
