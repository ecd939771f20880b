-- Migration 20 has made what takes its place.
DROP INDEX CONCURRENTLY IF EXISTS events_lot;
