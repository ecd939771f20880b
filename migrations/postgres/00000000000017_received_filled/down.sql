-- What was filled goes with its column.
SELECT 1;
