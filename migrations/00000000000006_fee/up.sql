CREATE TABLE fees (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    arrangement_id UID NOT NULL REFERENCES arrangements (id),
    provider_id    UID NOT NULL REFERENCES providers (id),
    lot_id         UID NOT NULL REFERENCES lots (id),
    membership_id  UID NOT NULL REFERENCES memberships (id),
    code           TEXT NOT NULL,
    unit           TEXT NOT NULL,
    amount_pence   BIGINT NOT NULL,
    begins_at      MOMENT NOT NULL,
    ended_at       MOMENT,
    offered        BOOLEAN NOT NULL
);
CREATE UNIQUE INDEX fees_one_each ON fees (membership_id, code, begins_at) WHERE offered;
CREATE INDEX fees_membership ON fees (membership_id, code, begins_at);
CREATE INDEX fees_membership_page ON fees (membership_id, id);
CREATE INDEX fees_arrangement ON fees (arrangement_id, id);
CREATE INDEX fees_provider ON fees (provider_id, id);
CREATE INDEX fees_lot ON fees (lot_id, unit);
CREATE INDEX fees_lot_page ON fees (lot_id, id);
CREATE INDEX fees_changed ON fees (updated_at, id);
