-- One visit, its readings, what was seen, and what was decided. Times are UTC text with microseconds, which sorts.
CREATE TABLE survey (
    id          TEXT PRIMARY KEY,
    site        TEXT NOT NULL,
    software    TEXT NOT NULL,
    started_at  TEXT NOT NULL,
    finished_at TEXT NOT NULL,
    runs        TEXT NOT NULL,              -- JSON: what each instrument reported of itself
    bytes_sent  INTEGER NOT NULL,
    bytes_received INTEGER NOT NULL
) STRICT;
CREATE INDEX survey_started ON survey (started_at);

CREATE TABLE measurement (
    survey   TEXT NOT NULL REFERENCES survey (id) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    metric   TEXT NOT NULL,
    target   TEXT NOT NULL,
    taken_at TEXT NOT NULL,
    value    REAL,
    failure  TEXT,
    method   TEXT NOT NULL,
    details  TEXT NOT NULL,                 -- JSON
    PRIMARY KEY (survey, seq),
    CHECK ((value IS NULL) <> (failure IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX measurement_window ON measurement (taken_at, metric);

CREATE TABLE device (
    survey TEXT NOT NULL REFERENCES survey (id) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,                -- the census' order: by address
    key    TEXT NOT NULL,
    body   TEXT NOT NULL,                   -- JSON
    PRIMARY KEY (survey, seq),
    UNIQUE (survey, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE decision (
    seq        INTEGER PRIMARY KEY,
    decided_at TEXT NOT NULL,
    wave       TEXT NOT NULL,
    answer     TEXT NOT NULL,
    body       TEXT NOT NULL                -- JSON
) STRICT;
