CREATE INDEX events_open_id ON events (id) WHERE audience = 'everyone' AND provider_id IS NULL;
