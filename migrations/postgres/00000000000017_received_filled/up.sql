-- A thousand rows at a time, each in a transaction of its own: servers go on writing. What was broken off is done again; and once more
-- when no older server is left, since what those submit meanwhile is not filled.
DO $$
DECLARE
    place UUID := '00000000-0000-0000-0000-000000000000';
    last UUID;
BEGIN
    LOOP
        SELECT id INTO last FROM (SELECT id FROM applications WHERE id > place ORDER BY id LIMIT 1000) AS batch ORDER BY id DESC LIMIT 1;
        EXIT WHEN last IS NULL;
        UPDATE applications SET received = TRUE
        WHERE id > place AND id <= last AND NOT received AND json_array_length(body -> 'versions') > 0;
        COMMIT;
        place := last;
    END LOOP;
END $$;
