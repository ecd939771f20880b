CREATE TABLE checkpoints (
    number    BIGINT NOT NULL PRIMARY KEY,
    tx        BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    events    BIGINT NOT NULL,
    digest    BYTEA NOT NULL,
    sealed_at TIMESTAMPTZ NOT NULL
);
CREATE FUNCTION checkpoints_are_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'checkpoints are append-only';
END $$;
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE OR UPDATE OR TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_are_append_only();
