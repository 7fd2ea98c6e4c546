-- What one operation wrote of a record at once lies in the log already, and is read there. A register of its own has only a
-- field that something else wrote too. An estate of 100,000 checks has 1.5 million fields, and almost all are of the first
-- kind: their rows, 160 bytes each, were about half of the file.

DROP TABLE reg;                                               -- made again out of the log, as `apart`
CREATE TABLE apart (
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

-- Every field with what is shown of it, for whoever looks into the file.
CREATE VIEW reg (id, field, rev, value, sides) AS
    SELECT id, field, rev, value, sides FROM apart
    UNION ALL
    SELECT op.id, one.key, op.op_id, op.body -> one.fullkey, NULL
    FROM op, json_each(op.body, '$.value') AS one
    WHERE op.kind = 'set' AND op.field IS NULL
        AND NOT EXISTS (SELECT 1 FROM set_aside WHERE set_aside.op_id = op.op_id)
        AND NOT EXISTS (SELECT 1 FROM apart WHERE apart.id = op.id AND apart.field = one.key);
