-- Each index on events is paid for by every write, so there is one for each way that a page begins, and no other.
-- An aggregate's events are found by its chain, and are few.
DROP INDEX events_aggregate;
-- Times are looked up in the marks below.
DROP INDEX events_at;
-- The identifier alone finds an event.
DROP INDEX events_open_id;
-- Each event is in one of these two. That something is absent is no order to PostgreSQL.
DROP INDEX events_arrangement;
CREATE INDEX events_arrangement ON events (arrangement_id, tx, seq) WHERE arrangement_id IS NOT NULL AND audience NOT IN ('provider', 'administrators', 'owner');
CREATE INDEX events_general ON events (tx, seq) WHERE arrangement_id IS NULL AND audience NOT IN ('provider', 'administrators', 'owner');
-- What is about no provider is looked for in another way.
DROP INDEX events_provider;
CREATE INDEX events_provider ON events (provider_id, tx, seq) WHERE provider_id IS NOT NULL;
-- Few events are in these, and writing the others does not touch them.
CREATE INDEX events_open_arrangement ON events (arrangement_id, tx, seq) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_open_lot ON events (lot_id, tx, seq) WHERE audience = 'everyone' AND provider_id IS NULL;
CREATE INDEX events_administration ON events (tx, seq) WHERE audience = 'administrators';

-- For the jobs, which each look for timers of some sorts.
CREATE INDEX timers_sort ON timers (kind, what, at, aggregate_id);
-- The first pieces, one of each file that is kept: for the tidying.
CREATE INDEX upload_chunks_first ON upload_chunks (n, upload_id);

-- Lists of changes are in the order of the changes.
DROP INDEX providers_updated_at;
DROP INDEX uploads_updated_at;
CREATE INDEX providers_changed ON providers (updated_at, id);
CREATE INDEX homes_changed ON homes (updated_at, id);
CREATE INDEX applications_changed ON applications (updated_at, id);
CREATE INDEX checks_changed ON checks (updated_at, id);
CREATE INDEX memberships_changed ON memberships (updated_at, id);
CREATE INDEX interests_changed ON interests (updated_at, id);
CREATE INDEX suspensions_changed ON suspensions (updated_at, id);
CREATE INDEX removals_changed ON removals (updated_at, id);
CREATE INDEX appeals_changed ON appeals (updated_at, id);
CREATE INDEX fees_changed ON fees (updated_at, id);
CREATE INDEX uploads_changed ON uploads (updated_at, id);
-- For whoever serves every arrangement.
CREATE INDEX applications_state ON applications (state, id);
CREATE INDEX checks_state ON checks (state, id);
CREATE INDEX appeals_state ON appeals (state, id);
CREATE INDEX memberships_live ON memberships (live, id);

-- Pages are in the order of identifiers, whatever they are filtered by.
DROP INDEX applications_external_ref;
CREATE INDEX applications_external_ref ON applications (external_ref, id) WHERE external_ref IS NOT NULL;
CREATE INDEX applications_page ON applications (round_id, id);
CREATE INDEX checks_page ON checks (arrangement_id, id);
CREATE INDEX fees_lot_page ON fees (lot_id, id);
CREATE INDEX fees_membership_page ON fees (membership_id, id);

-- What the clock said along the feed: up to a place no event is later than `latest`, and none so far came more than
-- `lateness` microseconds after its time. So the part of the feed that a time falls into is found without an index on events.
CREATE TABLE marks (
    tx       BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    latest   TIMESTAMPTZ NOT NULL,
    lateness BIGINT NOT NULL,
    PRIMARY KEY (tx, seq)
);
CREATE INDEX marks_latest ON marks (latest, tx, seq);
