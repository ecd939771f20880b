DROP INDEX events_in_lot;
