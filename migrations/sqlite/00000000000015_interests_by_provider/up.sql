-- A provider finds its own interests page by page.
CREATE INDEX interests_provider ON interests (provider_id, id);
