-- A kind that is rare in an arrangement is not looked for through all of it.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_arrangement_kind ON events (arrangement_id, kind, tx, seq) WHERE arrangement_id IS NOT NULL AND audience NOT IN ('provider', 'administrators', 'owner');
