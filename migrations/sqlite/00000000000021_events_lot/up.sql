-- Migration 20 has made what takes its place.
DROP INDEX events_lot;
