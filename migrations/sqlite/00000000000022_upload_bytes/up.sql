-- What an account's files take, for its quota. Those that are here already count for nothing.
ALTER TABLE uploads ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
