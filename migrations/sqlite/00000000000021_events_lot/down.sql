CREATE INDEX events_lot ON events (lot_id);
