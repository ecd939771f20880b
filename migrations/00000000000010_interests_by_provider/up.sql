-- outside a transaction
-- A provider finds its own interests page by page. Made while servers write: one statement, which adds to what there is. Where
-- it was broken off, `dps migrate` drops what is left of it before it runs again; where only the note of it is missing, it is there.
CREATE INDEX CONCURRENTLY IF NOT EXISTS interests_provider ON interests (provider_id, id);
