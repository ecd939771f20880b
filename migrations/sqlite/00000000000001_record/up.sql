CREATE TABLE events (
    seq            INTEGER PRIMARY KEY AUTOINCREMENT,
    tx             BIGINT NOT NULL DEFAULT 0,
    id             BLOB NOT NULL UNIQUE,
    at             BIGINT NOT NULL,
    kind           TEXT NOT NULL,
    aggregate      TEXT NOT NULL,
    aggregate_id   BLOB NOT NULL,
    link           BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    arrangement_id BLOB,
    lot_id         BLOB,
    provider_id    BLOB,
    application_id BLOB,
    audience       TEXT NOT NULL,
    actor          TEXT NOT NULL,
    role           TEXT NOT NULL,
    authority      TEXT,
    acting_for     BLOB,
    request        TEXT,
    from_state     TEXT,
    to_state       TEXT NOT NULL,
    data           TEXT NOT NULL CHECK (json_valid(data)),
    previous       BLOB,
    hash           BLOB NOT NULL
);
CREATE UNIQUE INDEX events_chain ON events (aggregate_id, link);
CREATE INDEX events_feed ON events (tx, seq);
CREATE INDEX events_arrangement ON events (arrangement_id, tx, seq);
CREATE INDEX events_provider ON events (provider_id, tx, seq);
CREATE INDEX events_lot ON events (lot_id, tx, seq);
CREATE INDEX events_actor ON events (actor, tx, seq);
CREATE INDEX events_aggregate ON events (aggregate_id, tx, seq);
CREATE INDEX events_kind ON events (kind, tx, seq);
CREATE INDEX events_open ON events (tx, seq) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_at ON events (at);
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_fixed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TABLE timers (
    aggregate_id BLOB NOT NULL PRIMARY KEY,
    kind         TEXT NOT NULL,
    at           BIGINT NOT NULL,
    what         TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX timers_at ON timers (at, aggregate_id);

CREATE TABLE answers (
    subject     TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    answer      TEXT NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (subject, key)
) WITHOUT ROWID;
CREATE INDEX answers_at ON answers (at);
