DROP TABLE answers;
DROP TABLE timers;
DROP TABLE events;
