-- What may be a person's device is kept under pseudonyms and for a while only; what was written in clear before goes now.
ALTER TABLE survey ADD COLUMN findings TEXT NOT NULL DEFAULT '[]';   -- JSON
ALTER TABLE survey ADD COLUMN unseen TEXT NOT NULL DEFAULT '[]';     -- JSON: what could not be seen, and why
ALTER TABLE survey ADD COLUMN period TEXT NOT NULL DEFAULT '';       -- of the key behind the pseudonyms
ALTER TABLE survey ADD COLUMN forgotten TEXT NOT NULL DEFAULT '{}';  -- JSON: devices that were forgotten, by kind
ALTER TABLE device ADD COLUMN client INTEGER NOT NULL DEFAULT 1;     -- 1: may be a person's
UPDATE device SET client = 0
    WHERE json_extract(body, '$.kind') IN ('access-point', 'switch', 'router', 'firewall', 'server', 'ups', 'printer', 'camera');
UPDATE survey SET forgotten = coalesce(
    (SELECT json_group_object(kind, number) FROM
        (SELECT json_extract(body, '$.kind') AS kind, count(*) AS number FROM device
            WHERE survey = survey.id AND client = 1 GROUP BY kind)), '{}');
DELETE FROM device WHERE client = 1;
CREATE INDEX device_client ON device (client, survey);

-- Asset lists and lease files that every survey reads again; only where they lie, nothing of what they hold.
CREATE TABLE asset_list (
    path     TEXT PRIMARY KEY,
    format   TEXT NOT NULL,
    added_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
