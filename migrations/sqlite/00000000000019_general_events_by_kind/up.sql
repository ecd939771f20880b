-- Nor through all that belongs to none: registers make many.
CREATE INDEX events_general_kind ON events (kind) WHERE arrangement_id IS NULL AND audience NOT IN ('provider', 'administrators', 'owner');
