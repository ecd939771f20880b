CREATE TABLE interests (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    arrangement_id BLOB NOT NULL REFERENCES arrangements (id),
    provider_id    BLOB NOT NULL REFERENCES providers (id)
);
CREATE UNIQUE INDEX interests_one_each ON interests (provider_id, arrangement_id) WHERE state = 'registered';
CREATE INDEX interests_arrangement ON interests (arrangement_id, id);
