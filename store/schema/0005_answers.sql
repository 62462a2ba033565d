-- What a school asks of its device list, answered when the survey was made.
ALTER TABLE survey ADD COLUMN answers TEXT NOT NULL DEFAULT '[]';    -- JSON: pairs of question and answer
