-- Whether an application was ever submitted: a list of the buying side has no others. The next migration fills it.
ALTER TABLE applications ADD COLUMN received BOOLEAN NOT NULL DEFAULT FALSE;
