-- What happened: events, chained by aggregate and sealed by checkpoints.
CREATE TABLE events (
    seq            SEQUENCE,
    tx             TRANSACTION,
    id             UID NOT NULL UNIQUE,
    format         INTEGER NOT NULL,
    at             MOMENT NOT NULL,
    kind           TEXT NOT NULL,
    aggregate      TEXT NOT NULL,
    aggregate_id   UID NOT NULL,
    link           BIGINT NOT NULL,
    version        BIGINT NOT NULL,
    arrangement_id UID,
    lot_id         UID,
    provider_id    UID,
    application_id UID,
    audience       TEXT NOT NULL,
    actor          TEXT NOT NULL,
    role           TEXT NOT NULL,
    authority      TEXT,
    acting_for     UID,
    request        TEXT,
    from_state     TEXT,
    to_state       TEXT NOT NULL,
    data           JSON NOT NULL,
    previous       BYTES,
    hash           BYTES NOT NULL
);
CREATE UNIQUE INDEX events_chain ON events (aggregate_id, link);
-- Each index on events is paid for by every write, so there is one for each way that a page begins, and no other.
-- What the buying side sees is in one of these two; drafts make up a third of an arrangement's events, and are in neither.
CREATE INDEX events_arrangement ON events (arrangement_id, PLACE) WHERE arrangement_id IS NOT NULL AND audience NOT IN ('provider', 'administrators', 'owner');
CREATE INDEX events_general ON events (PLACE) WHERE arrangement_id IS NULL AND audience NOT IN ('provider', 'administrators', 'owner');
-- A kind that is rare is not looked for through all of them.
CREATE INDEX events_arrangement_kind ON events (arrangement_id, kind, PLACE) WHERE arrangement_id IS NOT NULL AND audience NOT IN ('provider', 'administrators', 'owner');
CREATE INDEX events_general_kind ON events (kind, PLACE) WHERE arrangement_id IS NULL AND audience NOT IN ('provider', 'administrators', 'owner');
-- What is about no provider, or in no lot, is looked for in another way.
CREATE INDEX events_provider ON events (provider_id, PLACE) WHERE provider_id IS NOT NULL;
CREATE INDEX events_in_lot ON events (lot_id, PLACE) WHERE lot_id IS NOT NULL;
CREATE INDEX events_actor ON events (actor, PLACE);
CREATE INDEX events_kind ON events (kind, PLACE);
-- Few events are in these, and writing the others does not touch them.
CREATE INDEX events_open ON events (PLACE) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_open_arrangement ON events (arrangement_id, PLACE) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_open_lot ON events (lot_id, PLACE) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_administration ON events (PLACE) WHERE audience = 'administrators';

CREATE TABLE checkpoints (
    number    BIGINT NOT NULL PRIMARY KEY,
    tx        BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    events    BIGINT NOT NULL,
    digest    BYTES NOT NULL,
    sealed_at MOMENT NOT NULL
) WITHOUT ROWID;

-- sqlite
CREATE TRIGGER events_are_kept BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER events_are_fixed BEFORE UPDATE ON events BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_are_fixed BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
-- postgres
-- The order of the feed, which is that of the rows of SQLite.
CREATE INDEX events_feed ON events (tx, seq);
CREATE FUNCTION events_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'events are append-only';
END $$;
CREATE TRIGGER events_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION events_are_append_only();
CREATE FUNCTION checkpoints_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints are append-only';
END $$;
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();
-- both

-- What the clock said along the feed: up to a place no event is later than `latest`, and none so far came more than
-- `lateness` microseconds after its time. So the part of the feed that a time falls into is found without an index on events.
CREATE TABLE marks (
    tx       BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    latest   MOMENT NOT NULL,
    lateness BIGINT NOT NULL,
    PRIMARY KEY (tx, seq)
) WITHOUT ROWID;
CREATE INDEX marks_latest ON marks (latest, tx, seq);

-- What the clock does to each aggregate next.
CREATE TABLE timers (
    aggregate_id UID NOT NULL PRIMARY KEY,
    kind         TEXT NOT NULL,
    at           MOMENT NOT NULL,
    what         TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX timers_at ON timers (at, aggregate_id);
-- For the jobs, which each look for timers of some sorts.
CREATE INDEX timers_sort ON timers (kind, what, at, aggregate_id);

-- What was answered under an idempotency key.
CREATE TABLE answers (
    subject     TEXT NOT NULL,
    key         TEXT NOT NULL,
    fingerprint BYTES NOT NULL,
    answer      TEXT NOT NULL,
    at          MOMENT NOT NULL,
    PRIMARY KEY (subject, key)
) WITHOUT ROWID;
CREATE INDEX answers_at ON answers (at);

CREATE TABLE leases (
    name   TEXT NOT NULL PRIMARY KEY,
    holder UID NOT NULL,
    until  MOMENT NOT NULL
) WITHOUT ROWID;

CREATE TABLE job_runs (
    id          UID NOT NULL PRIMARY KEY,
    job         TEXT NOT NULL,
    at          MOMENT NOT NULL,
    duration_ms BIGINT NOT NULL,
    made        BIGINT NOT NULL,
    failed      BIGINT NOT NULL
);
CREATE INDEX job_runs_job ON job_runs (job, id);
CREATE INDEX job_runs_at ON job_runs (at);
