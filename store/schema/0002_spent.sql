-- What was asked of the line: written before each use of it, so that a crash half-way leaves the amount foretold.
CREATE TABLE spent (
    seq   INTEGER PRIMARY KEY,
    at    TEXT NOT NULL,                    -- when it began
    what  TEXT NOT NULL,                    -- the instrument's method, or the service that was asked
    bytes INTEGER NOT NULL CHECK (bytes >= 0)
) STRICT;
CREATE INDEX spent_at ON spent (at);
INSERT INTO spent (at, what, bytes) SELECT started_at, 'survey', bytes_sent + bytes_received FROM survey;
