-- A provider finds its own interests page by page. Made while servers write: one statement, outside a transaction. Where it was
-- broken off, drop what is left of it before it runs again.
CREATE INDEX CONCURRENTLY interests_provider ON interests (provider_id, id);
