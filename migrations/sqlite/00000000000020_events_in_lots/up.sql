-- Most events are in no lot: this takes the place of an index that had them too.
CREATE INDEX events_in_lot ON events (lot_id) WHERE lot_id IS NOT NULL;
