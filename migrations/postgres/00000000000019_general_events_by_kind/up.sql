-- Nor through all that belongs to none: registers make many.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_general_kind ON events (kind, tx, seq) WHERE arrangement_id IS NULL AND audience NOT IN ('provider', 'administrators', 'owner');
