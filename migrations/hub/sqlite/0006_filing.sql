-- Which issues are in the tracker that the office had before. 'sent' is written down before anything is sent: from then on
-- nobody knows whether it is there, until it was looked for.
CREATE TABLE filing (
    issue BLOB PRIMARY KEY,
    state TEXT NOT NULL,
    -- Its number there.
    number INTEGER,
    -- What the tracker said when it refused.
    said TEXT
) STRICT, WITHOUT ROWID;
