DROP INDEX events_general_kind;
