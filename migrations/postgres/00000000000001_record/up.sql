CREATE TABLE events (
    seq            BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tx             BIGINT NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    id             UUID NOT NULL UNIQUE,
    at             TIMESTAMPTZ NOT NULL,
    kind           TEXT NOT NULL,
    aggregate      TEXT NOT NULL,
    aggregate_id   UUID NOT NULL,
    link           BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    arrangement_id UUID,
    lot_id         UUID,
    provider_id    UUID,
    application_id UUID,
    audience       TEXT NOT NULL,
    actor          TEXT NOT NULL,
    role           TEXT NOT NULL,
    authority      TEXT,
    acting_for     UUID,
    request        TEXT,
    from_state     TEXT,
    to_state       TEXT NOT NULL,
    data           JSON NOT NULL,
    previous       BYTEA,
    hash           BYTEA NOT NULL
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
CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;
CREATE TRIGGER events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();

CREATE TABLE timers (
    aggregate_id UUID NOT NULL PRIMARY KEY,
    kind         TEXT NOT NULL,
    at           TIMESTAMPTZ NOT NULL,
    what         TEXT NOT NULL
);
CREATE INDEX timers_at ON timers (at, aggregate_id);

CREATE TABLE answers (
    subject     TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BYTEA NOT NULL,
    answer      TEXT NOT NULL,
    at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (subject, key)
);
CREATE INDEX answers_at ON answers (at);
