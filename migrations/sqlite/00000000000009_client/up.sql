CREATE TABLE clients (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    portal     TEXT
);
CREATE UNIQUE INDEX clients_portal ON clients (portal) WHERE portal IS NOT NULL;
