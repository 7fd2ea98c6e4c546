-- What follows from the log, and is made again from it by `rebuild`.

-- The state of each field: the shown side; all sides where there are several.
CREATE TABLE reg (
    id     BLOB NOT NULL,
    field  TEXT NOT NULL,
    rev    BLOB NOT NULL,
    value  TEXT NOT NULL,
    hlc    INTEGER NOT NULL,
    actor  BLOB NOT NULL,
    device BLOB NOT NULL,
    at     INTEGER NOT NULL,
    sides  TEXT,                                              -- JSON of all sides, the shown one first
    PRIMARY KEY (id, field)
) STRICT, WITHOUT ROWID;

-- The members of fields that hold several.
CREATE TABLE member (
    id     BLOB NOT NULL,
    field  TEXT NOT NULL,
    rev    BLOB NOT NULL,
    value  TEXT NOT NULL,
    hlc    INTEGER NOT NULL,
    actor  BLOB NOT NULL,
    device BLOB NOT NULL,
    at     INTEGER NOT NULL,
    PRIMARY KEY (id, field, rev)
) STRICT, WITHOUT ROWID;

-- The operation whose value was sealed, by field.
CREATE TABLE pin (
    id    BLOB NOT NULL,
    field TEXT NOT NULL,
    rev   BLOB NOT NULL,
    PRIMARY KEY (id, field)
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
    id      BLOB PRIMARY KEY,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    code    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE place (
    id      BLOB PRIMARY KEY,
    kind    TEXT NOT NULL,
    parent  BLOB,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    level   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX place_in ON place (parent);

CREATE TABLE asset (
    num     INTEGER PRIMARY KEY,                              -- the seq of its first operation: names it in asset_text
    id      BLOB NOT NULL UNIQUE,
    kind    TEXT NOT NULL,
    place   BLOB NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL,
    tag     TEXT NOT NULL,
    facts   TEXT NOT NULL
) STRICT;
CREATE INDEX asset_in ON asset (place);
CREATE INDEX asset_by_tag ON asset (tag COLLATE NOCASE);

-- Pairs of characters, so that two Chinese characters find a name; only the index, the texts stand in `asset`.
CREATE VIRTUAL TABLE asset_text USING fts5 (name_zh, name_en, tag, path, content = '', contentless_delete = 1);

CREATE TABLE unit (
    id      BLOB PRIMARY KEY,
    level   TEXT NOT NULL,
    name_zh TEXT NOT NULL,
    name_en TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
    id    BLOB PRIMARY KEY,
    name  TEXT NOT NULL,
    unit  BLOB NOT NULL,
    roles TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE round (
    id          BLOB PRIMARY KEY,
    kind        TEXT NOT NULL,
    title_zh    TEXT NOT NULL,
    title_en    TEXT NOT NULL,
    due         TEXT NOT NULL,
    reason      TEXT,
    present     TEXT NOT NULL,
    sign_off_of TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each stop, lying together by round, with what its lists need.
CREATE TABLE stop (
    round       BLOB NOT NULL,
    ord         INTEGER NOT NULL,
    id          BLOB NOT NULL,                                -- the check
    asset       BLOB NOT NULL,
    checklist   TEXT NOT NULL,
    version     INTEGER NOT NULL,
    items       INTEGER NOT NULL,
    answered    INTEGER NOT NULL,
    failed      INTEGER NOT NULL,
    incomplete  INTEGER NOT NULL,                             -- failed items whose finding lacks something
    in_conflict INTEGER NOT NULL,
    photos      INTEGER NOT NULL,
    sealed      INTEGER NOT NULL,
    PRIMARY KEY (round, ord, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX stop_of_check ON stop (id);
CREATE INDEX stop_at_asset ON stop (asset);

CREATE TABLE finding (
    id       BLOB PRIMARY KEY,
    check_id BLOB NOT NULL,
    item     TEXT NOT NULL,
    severity TEXT,                                            -- null until somebody has said how bad it is
    words    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX finding_of_check ON finding (check_id);

CREATE TABLE sign_off (
    id         BLOB PRIMARY KEY,
    round      BLOB NOT NULL,
    unit       BLOB NOT NULL,
    name       TEXT NOT NULL,
    objection  TEXT,
    strokes    TEXT NOT NULL,
    at         INTEGER NOT NULL,
    evidence   TEXT NOT NULL,                                 -- JSON array of hashes
    amendments TEXT NOT NULL                                  -- JSON array of the operations that it covers
) STRICT, WITHOUT ROWID;
CREATE INDEX sign_off_of_round ON sign_off (round, unit, at);

CREATE TABLE issue (
    id         BLOB PRIMARY KEY,
    number     INTEGER NOT NULL,
    title_zh   TEXT NOT NULL,
    title_en   TEXT NOT NULL,
    severity   TEXT NOT NULL,
    status     TEXT NOT NULL,
    finding    BLOB,
    round      BLOB,
    words      TEXT NOT NULL,
    unit       BLOB,
    person     BLOB,
    deadline   TEXT,
    solution   TEXT,
    claimed_by BLOB,
    changed    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_by_status ON issue (status);
