DROP INDEX events_open_id;
