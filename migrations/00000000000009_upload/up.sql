CREATE TABLE uploads (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    owner      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    over       BOOLEAN NOT NULL,
    bytes      BIGINT NOT NULL
);
CREATE INDEX uploads_owner ON uploads (owner, id);
CREATE INDEX uploads_open ON uploads (id) WHERE NOT over;
CREATE INDEX uploads_changed ON uploads (updated_at, id);

-- The file as it came in. Its pieces are here before the upload is: one that is cut off never becomes one.
CREATE TABLE upload_chunks (
    upload_id UID NOT NULL,
    n         BIGINT NOT NULL,
    bytes     BYTES NOT NULL,
    PRIMARY KEY (upload_id, n)
);
-- The first pieces, one of each file that is kept: for the tidying.
CREATE INDEX upload_chunks_first ON upload_chunks (n, upload_id);

-- How far a server has come: written with the rows it applied, so that another one goes on behind them.
CREATE TABLE upload_progress (
    upload_id UID NOT NULL PRIMARY KEY REFERENCES uploads (id),
    rows      BIGINT NOT NULL,
    added     BIGINT NOT NULL,
    changed   BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    refused   BIGINT NOT NULL,
    skipped   BIGINT NOT NULL,
    notes     JSON NOT NULL
);

CREATE TABLE upload_faults (
    upload_id   UID NOT NULL REFERENCES uploads (id),
    line        BIGINT NOT NULL,
    n           BIGINT NOT NULL,
    column_name TEXT,
    value       TEXT,
    code        TEXT NOT NULL,
    rests_on    TEXT,
    detail      TEXT NOT NULL,
    PRIMARY KEY (upload_id, line, n)
);
