CREATE TABLE applications (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    arrangement_id BLOB NOT NULL REFERENCES arrangements (id),
    provider_id    BLOB NOT NULL REFERENCES providers (id),
    round_id       BLOB REFERENCES rounds (id),
    external_ref   TEXT,
    open           BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX applications_one_open ON applications (provider_id, arrangement_id) WHERE open;
CREATE INDEX applications_arrangement ON applications (arrangement_id, id);
CREATE INDEX applications_provider ON applications (provider_id, id);
CREATE INDEX applications_round ON applications (round_id, state, id);
CREATE INDEX applications_external_ref ON applications (external_ref) WHERE external_ref IS NOT NULL;

CREATE TABLE checks (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    arrangement_id BLOB NOT NULL REFERENCES arrangements (id),
    application_id BLOB NOT NULL REFERENCES applications (id),
    provider_id    BLOB NOT NULL REFERENCES providers (id),
    requirement_id BLOB NOT NULL REFERENCES requirements (id),
    requirement_version INTEGER NOT NULL
);
CREATE UNIQUE INDEX checks_one_each ON checks (application_id, requirement_id, requirement_version);
CREATE INDEX checks_arrangement ON checks (arrangement_id, state, id);
CREATE INDEX checks_provider ON checks (provider_id, id);
CREATE INDEX checks_requirement ON checks (requirement_id, id);

CREATE TABLE declarations (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    arrangement_id BLOB NOT NULL REFERENCES arrangements (id),
    assessor       TEXT NOT NULL
);
CREATE UNIQUE INDEX declarations_one_each ON declarations (arrangement_id, assessor);

CREATE TABLE memberships (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    arrangement_id BLOB NOT NULL REFERENCES arrangements (id),
    lot_id         BLOB NOT NULL REFERENCES lots (id),
    provider_id    BLOB NOT NULL REFERENCES providers (id),
    application_id BLOB NOT NULL REFERENCES applications (id),
    live           BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX memberships_one_live ON memberships (provider_id, lot_id) WHERE live;
CREATE INDEX memberships_arrangement ON memberships (arrangement_id, id);
CREATE INDEX memberships_lot ON memberships (lot_id, id);
CREATE INDEX memberships_provider ON memberships (provider_id, id);
CREATE INDEX memberships_application ON memberships (application_id);
