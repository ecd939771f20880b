CREATE TABLE checkpoints (
    number    BIGINT NOT NULL PRIMARY KEY,
    tx        BIGINT NOT NULL,
    seq       BIGINT NOT NULL,
    events    BIGINT NOT NULL,
    digest    BLOB NOT NULL,
    sealed_at BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER checkpoints_are_kept BEFORE DELETE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
CREATE TRIGGER checkpoints_are_fixed BEFORE UPDATE ON checkpoints BEGIN SELECT RAISE(ABORT, 'checkpoints are append-only'); END;
