-- What people vouched for. Nothing is ever changed or taken away: a newer answer stands after an older one.
CREATE TABLE attestation (
    seq       INTEGER PRIMARY KEY,
    at        TEXT NOT NULL,          -- when it was written down
    source    TEXT NOT NULL,          -- "prompt", or the form's name and SHA-256
    criterion TEXT NOT NULL,
    body      TEXT NOT NULL           -- JSON
) STRICT;
CREATE INDEX attestation_criterion ON attestation (criterion, seq);
CREATE TRIGGER attestation_kept BEFORE UPDATE ON attestation BEGIN SELECT raise(ABORT, 'an attestation is never changed'); END;
CREATE TRIGGER attestation_stays BEFORE DELETE ON attestation BEGIN SELECT raise(ABORT, 'an attestation is never removed'); END;
