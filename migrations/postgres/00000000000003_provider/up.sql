CREATE TABLE providers (
    id         UUID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    body       JSON NOT NULL,
    registered_by  TEXT NOT NULL,
    agency_urn     TEXT,
    company_number TEXT,
    was_dormant    BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX providers_agency_urn ON providers (agency_urn) WHERE agency_urn IS NOT NULL;
CREATE UNIQUE INDEX providers_company_number ON providers (company_number) WHERE company_number IS NOT NULL;
CREATE INDEX providers_registered_by ON providers (registered_by, id);
CREATE INDEX providers_state ON providers (state, id);
CREATE INDEX providers_updated_at ON providers (updated_at);

CREATE TABLE provider_refs (
    provider_id UUID NOT NULL REFERENCES providers (id),
    portal      TEXT NOT NULL,
    reference   TEXT NOT NULL,
    PRIMARY KEY (provider_id, portal)
);
CREATE UNIQUE INDEX provider_refs_reference ON provider_refs (portal, reference);

CREATE TABLE homes (
    id         UUID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    body       JSON NOT NULL,
    provider_id UUID NOT NULL REFERENCES providers (id),
    urn         TEXT
);
CREATE UNIQUE INDEX homes_urn ON homes (urn) WHERE urn IS NOT NULL;
CREATE INDEX homes_provider ON homes (provider_id, id);
