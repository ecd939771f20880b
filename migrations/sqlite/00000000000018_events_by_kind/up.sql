-- A kind that is rare in an arrangement is not looked for through all of it.
CREATE INDEX events_arrangement_kind ON events (arrangement_id, kind) WHERE arrangement_id IS NOT NULL AND audience NOT IN ('provider', 'administrators', 'owner');
