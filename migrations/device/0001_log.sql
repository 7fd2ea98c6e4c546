-- What is kept: the log, and what only this tablet knows. Nothing here can be made again from anything else, but for
-- `blob` and `fact`. A rescue reads the rows of the others out of the pages of a damaged file, by their shape: a column
-- that is added to them is added there too.

CREATE TABLE op (
    seq         INTEGER PRIMARY KEY,                          -- order of arrival on this tablet
    op_id       BLOB NOT NULL UNIQUE CHECK (length(op_id) = 16),
    tx          BLOB NOT NULL,
    entity      TEXT NOT NULL,
    id          BLOB NOT NULL CHECK (length(id) = 16),        -- the record
    kind        TEXT NOT NULL,
    field       TEXT,
    incarnation INTEGER,                                      -- the tablet's own chain; null for what others wrote
    dev_seq     INTEGER,
    hash        BLOB,
    hub_seq     INTEGER,                                      -- the hub's number, once a pull brought it
    hub_at      INTEGER,                                      -- when the hub received it
    body        TEXT NOT NULL                                 -- as its author wrote it, byte for byte
) STRICT;
CREATE INDEX op_of_record ON op (id);
-- Few operations are neither `set` nor `add`: whether a record has such is asked at every write.
CREATE INDEX op_rare ON op (id, kind) WHERE kind NOT IN ('set', 'add');
CREATE UNIQUE INDEX op_chain ON op (incarnation, dev_seq) WHERE dev_seq IS NOT NULL;

-- Where the pen stands. One row, once enrolled.
CREATE TABLE chain (
    one          INTEGER PRIMARY KEY CHECK (one = 1),
    incarnation  INTEGER NOT NULL,
    last_seq     INTEGER NOT NULL,
    last_hash    BLOB NOT NULL,
    acknowledged INTEGER NOT NULL,
    durable      INTEGER NOT NULL,
    hlc          INTEGER NOT NULL,
    clock_offset INTEGER
) STRICT;

-- How far pulls have got. One row, always.
CREATE TABLE pulled (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    epoch     BLOB,
    after     INTEGER NOT NULL,
    checksum  INTEGER NOT NULL,                               -- over every operation with a hub_seq; 64 bits, as signed
    synced_at INTEGER
) STRICT;
INSERT INTO pulled (one, after, checksum) VALUES (1, 0, 0);

-- To which office the tablet belongs. One row, once enrolled.
CREATE TABLE identity (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    hub         TEXT NOT NULL,
    token       TEXT NOT NULL,
    device      BLOB NOT NULL,
    key         BLOB NOT NULL CHECK (length(key) = 32),       -- seed of the Ed25519 key that seals
    person      BLOB NOT NULL,
    person_name TEXT NOT NULL,
    site        BLOB NOT NULL,
    site_zh     TEXT NOT NULL,
    site_en     TEXT NOT NULL
) STRICT;

-- What the hub put into quarantine.
CREATE TABLE set_aside (
    op_id  BLOB NOT NULL UNIQUE,
    code   TEXT NOT NULL,
    detail TEXT NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

-- Evidence by the hash of the original. The bytes are files in the vault, never here.
CREATE TABLE blob (
    sha256       BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    bytes        INTEGER NOT NULL,
    media_type   TEXT NOT NULL,
    here         INTEGER NOT NULL CHECK (here IN (0, 1)),     -- whether the vault holds the original
    preview      TEXT NOT NULL CHECK (preview IN ('pending', 'ready', 'clip', 'none')),
    preview_code TEXT                                         -- why there is none
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_pending ON blob (sha256) WHERE here = 1 AND preview = 'pending';
CREATE INDEX blob_wanted ON blob (sha256) WHERE here = 0 AND preview = 'pending';

-- What goes up: originals, and the thumbnails made here.
CREATE TABLE upload (
    of     BLOB NOT NULL,                                     -- hash of the original
    role   TEXT NOT NULL CHECK (role IN ('original', 'thumbnail')),
    sha256 BLOB NOT NULL,                                     -- hash of the bytes that go up
    bytes  INTEGER NOT NULL,
    op_id  BLOB NOT NULL,                                     -- the first operation that mentions it
    state  TEXT NOT NULL CHECK (state IN ('waiting', 'created', 'verified', 'set-aside')),
    sent   INTEGER NOT NULL DEFAULT 0,                        -- bytes that the hub is known to hold
    url    TEXT,
    code   TEXT,
    at     INTEGER NOT NULL,
    UNIQUE (of, role)
) STRICT;
CREATE INDEX upload_open ON upload (role, op_id) WHERE state <> 'verified';

-- Facts of this tablet by name: the version of the projections, what a rescue found.
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
