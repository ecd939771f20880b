CREATE TABLE suspensions (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    lot_id         UID REFERENCES lots (id),
    membership_id  UID REFERENCES memberships (id)
);
CREATE INDEX suspensions_arrangement ON suspensions (arrangement_id, id);
CREATE INDEX suspensions_provider ON suspensions (provider_id, arrangement_id);
CREATE INDEX suspensions_lot ON suspensions (lot_id, provider_id) WHERE lot_id IS NOT NULL;
CREATE INDEX suspensions_membership ON suspensions (membership_id, id) WHERE membership_id IS NOT NULL;
CREATE INDEX suspensions_changed ON suspensions (updated_at, id);

CREATE TABLE improvement_notices (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    lot_id         UID NOT NULL REFERENCES lots (id),
    membership_id  UID NOT NULL REFERENCES memberships (id)
);
CREATE INDEX improvement_notices_arrangement ON improvement_notices (arrangement_id, id);
CREATE INDEX improvement_notices_provider ON improvement_notices (provider_id, arrangement_id);
CREATE INDEX improvement_notices_lot ON improvement_notices (lot_id, provider_id);
CREATE INDEX improvement_notices_membership ON improvement_notices (membership_id, id);

CREATE TABLE sanctions (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    lot_id         UID NOT NULL REFERENCES lots (id),
    membership_id  UID NOT NULL REFERENCES memberships (id),
    kind           TEXT NOT NULL,
    in_force       BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX sanctions_one_each ON sanctions (provider_id, lot_id, kind) WHERE in_force;
CREATE INDEX sanctions_arrangement ON sanctions (arrangement_id, id);
CREATE INDEX sanctions_provider ON sanctions (provider_id, arrangement_id);
CREATE INDEX sanctions_lot ON sanctions (lot_id, provider_id);
CREATE INDEX sanctions_membership ON sanctions (membership_id, id);

CREATE TABLE removals (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    lot_id         UID NOT NULL REFERENCES lots (id),
    membership_id  UID NOT NULL REFERENCES memberships (id),
    ground         TEXT NOT NULL,
    pending        BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX removals_one_pending ON removals (provider_id, lot_id) WHERE pending;
CREATE INDEX removals_arrangement ON removals (arrangement_id, id);
CREATE INDEX removals_provider ON removals (provider_id, arrangement_id);
CREATE INDEX removals_lot ON removals (lot_id, provider_id);
CREATE INDEX removals_membership ON removals (membership_id, id);
CREATE INDEX removals_ground ON removals (arrangement_id, ground);
CREATE INDEX removals_changed ON removals (updated_at, id);

CREATE TABLE appeals (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    target         TEXT NOT NULL,
    lodged         BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX appeals_one_lodged ON appeals (target) WHERE lodged;
CREATE INDEX appeals_arrangement ON appeals (arrangement_id, id);
CREATE INDEX appeals_provider ON appeals (provider_id, id);
CREATE INDEX appeals_changed ON appeals (updated_at, id);
CREATE INDEX appeals_state ON appeals (state, id);

-- All that holds or narrows members, made from the aggregates that give it: it is written with them, and refers to nothing else.
CREATE TABLE impediments (
    owner_id       UID NOT NULL,
    n              INTEGER NOT NULL,
    source_kind    TEXT NOT NULL,
    source_id      UID NOT NULL,
    effect         TEXT NOT NULL,
    provider_id    UID NOT NULL,
    arrangement_id UID,
    lot_id         UID,
    membership_id  UID,
    home_id        UID,
    binds_only     TEXT,
    binds_not      TEXT,
    begins_at      MOMENT NOT NULL,
    over_at        MOMENT,
    PRIMARY KEY (owner_id, n)
) WITHOUT ROWID;
CREATE INDEX impediments_provider ON impediments (provider_id, begins_at);
-- What is due of other aggregates, and when it is told: written with them.
CREATE TABLE deadlines (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    of_id          UID NOT NULL,
    what           TEXT NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID REFERENCES providers (id),
    told_to        TEXT NOT NULL,
    due_at         MOMENT NOT NULL,
    live           BOOLEAN NOT NULL
);
CREATE INDEX deadlines_of ON deadlines (of_id, id);
CREATE INDEX deadlines_arrangement ON deadlines (arrangement_id, state, id);
CREATE INDEX deadlines_page ON deadlines (arrangement_id, id);
CREATE INDEX deadlines_what ON deadlines (what, id);
CREATE INDEX deadlines_provider ON deadlines (provider_id, id) WHERE provider_id IS NOT NULL;
CREATE INDEX deadlines_changed ON deadlines (updated_at, id);
CREATE INDEX deadlines_state ON deadlines (state, id);
