CREATE TABLE clients (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    portal     TEXT
);
CREATE UNIQUE INDEX clients_portal ON clients (portal) WHERE portal IS NOT NULL;
