ALTER TABLE applications DROP COLUMN received;
