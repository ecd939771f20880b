CREATE TABLE interests (
    id         UUID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UUID NOT NULL REFERENCES arrangements (id),
    provider_id    UUID NOT NULL REFERENCES providers (id)
);
CREATE UNIQUE INDEX interests_one_each ON interests (provider_id, arrangement_id) WHERE state = 'registered';
CREATE INDEX interests_arrangement ON interests (arrangement_id, id);
