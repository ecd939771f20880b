DROP TABLE answers;
DROP TABLE timers;
DROP TABLE events;
DROP FUNCTION events_are_append_only;
