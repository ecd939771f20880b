-- Most events are in no lot: this takes the place of an index that had them too.
CREATE INDEX CONCURRENTLY IF NOT EXISTS events_in_lot ON events (lot_id, tx, seq) WHERE lot_id IS NOT NULL;
