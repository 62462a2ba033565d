-- Accepted risks, and what decisions were made from. Nothing of either is ever changed or taken away.
CREATE TABLE waiver (
    seq  INTEGER PRIMARY KEY,
    at   TEXT NOT NULL,               -- when it was written down
    rule TEXT NOT NULL,
    body TEXT NOT NULL                -- JSON
) STRICT;
CREATE TRIGGER waiver_kept BEFORE UPDATE ON waiver BEGIN SELECT raise(ABORT, 'a waiver is never changed'); END;
CREATE TRIGGER waiver_stays BEFORE DELETE ON waiver BEGIN SELECT raise(ABORT, 'a waiver is never removed'); END;

CREATE TABLE decision_input (
    sha256 TEXT PRIMARY KEY,          -- of the bytes as they were, hex; the decisions name it
    body   BLOB NOT NULL              -- compressed
) STRICT, WITHOUT ROWID;
CREATE TRIGGER decision_input_kept BEFORE UPDATE ON decision_input
    BEGIN SELECT raise(ABORT, 'what a decision was made from is never changed'); END;
CREATE TRIGGER decision_input_stays BEFORE DELETE ON decision_input
    BEGIN SELECT raise(ABORT, 'what a decision was made from is never removed'); END;
CREATE TRIGGER decision_kept BEFORE UPDATE ON decision BEGIN SELECT raise(ABORT, 'a decision is never changed'); END;
CREATE TRIGGER decision_stays BEFORE DELETE ON decision BEGIN SELECT raise(ABORT, 'a decision is never removed'); END;
