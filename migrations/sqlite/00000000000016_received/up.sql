-- Whether an application was ever submitted: a list of the buying side has no others.
ALTER TABLE applications ADD COLUMN received BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE applications SET received = json_array_length(body, '$.versions') > 0;
