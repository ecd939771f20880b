DROP INDEX events_arrangement_kind;
