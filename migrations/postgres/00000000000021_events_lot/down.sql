CREATE INDEX CONCURRENTLY events_lot ON events (lot_id, tx, seq);
