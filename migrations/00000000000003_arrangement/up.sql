CREATE TABLE arrangements (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    lead       TEXT NOT NULL,
    reference  TEXT NOT NULL,
    published  BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX arrangements_reference ON arrangements (lead, reference);
CREATE INDEX arrangements_updated_at ON arrangements (updated_at);

-- The authorities that use them, their leads among them.
CREATE TABLE participants (
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    authority      TEXT NOT NULL,
    PRIMARY KEY (arrangement_id, authority)
);
CREATE INDEX participants_authority ON participants (authority, arrangement_id);

CREATE TABLE lots (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    code           TEXT NOT NULL
);
CREATE UNIQUE INDEX lots_code ON lots (arrangement_id, code);
CREATE INDEX lots_arrangement ON lots (arrangement_id, id);

CREATE TABLE requirements (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    owner TEXT NOT NULL,
    code  TEXT NOT NULL
);
CREATE UNIQUE INDEX requirements_code ON requirements (owner, code);

CREATE TABLE rounds (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    number         INTEGER NOT NULL,
    opens_at       MOMENT NOT NULL,
    closes_at      MOMENT NOT NULL
);
CREATE UNIQUE INDEX rounds_number ON rounds (arrangement_id, number);
CREATE INDEX rounds_arrangement ON rounds (arrangement_id, id);

CREATE TABLE interests (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id)
);
CREATE UNIQUE INDEX interests_one_each ON interests (provider_id, arrangement_id) WHERE state = 'registered';
CREATE INDEX interests_arrangement ON interests (arrangement_id, id);
CREATE INDEX interests_changed ON interests (updated_at, id);
