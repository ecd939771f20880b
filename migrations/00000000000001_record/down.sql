DROP TABLE job_runs;
DROP TABLE leases;
DROP TABLE answers;
DROP TABLE timers;
DROP TABLE marks;
DROP TABLE checkpoints;
DROP TABLE events;
-- postgres
DROP FUNCTION checkpoints_are_append_only;
DROP FUNCTION events_are_append_only;
