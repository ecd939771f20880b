DROP INDEX CONCURRENTLY events_general_kind;
