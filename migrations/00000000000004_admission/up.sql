CREATE TABLE applications (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    round_id       UID REFERENCES rounds (id),
    external_ref   TEXT,
    open           BOOLEAN NOT NULL,
    received       BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX applications_one_open ON applications (provider_id, arrangement_id) WHERE open;
CREATE INDEX applications_arrangement ON applications (arrangement_id, id);
CREATE INDEX applications_provider ON applications (provider_id, id);
CREATE INDEX applications_round ON applications (round_id, state, id);
CREATE INDEX applications_page ON applications (round_id, id);
CREATE INDEX applications_external_ref ON applications (external_ref, id) WHERE external_ref IS NOT NULL;
CREATE INDEX applications_changed ON applications (updated_at, id);
-- For whoever serves every arrangement.
CREATE INDEX applications_state ON applications (state, id);

CREATE TABLE compliance_checks (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    application_id UID NOT NULL REFERENCES applications (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    requirement_id UID REFERENCES requirements (id),
    requirement_version INTEGER
);
CREATE UNIQUE INDEX compliance_checks_one_each ON compliance_checks (application_id, requirement_id, requirement_version);
CREATE INDEX compliance_checks_arrangement ON compliance_checks (arrangement_id, state, id);
CREATE INDEX compliance_checks_page ON compliance_checks (arrangement_id, id);
CREATE INDEX compliance_checks_provider ON compliance_checks (provider_id, id);
CREATE INDEX compliance_checks_requirement ON compliance_checks (requirement_id, id);
CREATE INDEX compliance_checks_changed ON compliance_checks (updated_at, id);
CREATE INDEX compliance_checks_state ON compliance_checks (state, id);

CREATE TABLE declarations_of_interests (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    assessor       TEXT NOT NULL
);
CREATE UNIQUE INDEX declarations_of_interests_one_each ON declarations_of_interests (arrangement_id, assessor);

CREATE TABLE memberships (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    lot_id         UID NOT NULL REFERENCES lots (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    application_id UID NOT NULL REFERENCES applications (id),
    admitted_at    MOMENT NOT NULL,
    live           BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX memberships_one_live ON memberships (provider_id, lot_id) WHERE live;
CREATE INDEX memberships_arrangement ON memberships (arrangement_id, id);
CREATE INDEX memberships_lot ON memberships (lot_id, id);
CREATE INDEX memberships_provider ON memberships (provider_id, id);
CREATE INDEX memberships_application ON memberships (application_id);
CREATE INDEX memberships_changed ON memberships (updated_at, id);
CREATE INDEX memberships_live ON memberships (live, id);
