CREATE TABLE providers (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    registered_by  TEXT NOT NULL,
    agency_urn     TEXT,
    company_number TEXT
);
CREATE UNIQUE INDEX providers_agency_urn ON providers (agency_urn) WHERE agency_urn IS NOT NULL;
CREATE UNIQUE INDEX providers_company_number ON providers (company_number) WHERE company_number IS NOT NULL;
CREATE INDEX providers_registered_by ON providers (registered_by, id);
CREATE INDEX providers_state ON providers (state, id);
-- Lists of changes are in the order of the changes.
CREATE INDEX providers_changed ON providers (updated_at, id);

-- What they were called, and when: a register tells names as they were.
CREATE TABLE provider_names (
    provider_id UID NOT NULL REFERENCES providers (id),
    begins_at   MOMENT NOT NULL,
    over_at     MOMENT,
    legal_name  TEXT NOT NULL,
    PRIMARY KEY (provider_id, begins_at)
) WITHOUT ROWID;

-- What portals call them.
CREATE TABLE provider_refs (
    provider_id UID NOT NULL REFERENCES providers (id),
    portal      TEXT NOT NULL,
    reference   TEXT NOT NULL,
    PRIMARY KEY (provider_id, portal)
);
CREATE UNIQUE INDEX provider_refs_reference ON provider_refs (portal, reference);

CREATE TABLE homes (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    provider_id UID NOT NULL REFERENCES providers (id),
    urn         TEXT
);
CREATE UNIQUE INDEX homes_urn ON homes (urn) WHERE urn IS NOT NULL;
CREATE INDEX homes_provider ON homes (provider_id, id);
CREATE INDEX homes_changed ON homes (updated_at, id);
