CREATE TABLE webhooks (
    id         UID NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at MOMENT NOT NULL,
    body       JSON NOT NULL,
    owner      TEXT NOT NULL
);
CREATE INDEX webhooks_owner ON webhooks (owner, id);

CREATE TABLE webhook_progress (
    webhook_id UID NOT NULL PRIMARY KEY REFERENCES webhooks (id),
    tx         BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    attempts   INTEGER NOT NULL,
    next_at    MOMENT
) WITHOUT ROWID;

CREATE TABLE webhook_secrets (
    id         UID NOT NULL PRIMARY KEY,
    webhook_id UID NOT NULL REFERENCES webhooks (id),
    sealed     BYTES NOT NULL,
    until      MOMENT
);
CREATE INDEX webhook_secrets_webhook ON webhook_secrets (webhook_id, id);

CREATE TABLE deliveries (
    id          UID NOT NULL PRIMARY KEY,
    webhook_id  UID NOT NULL REFERENCES webhooks (id),
    event_id    UID NOT NULL,
    kind        TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    at          MOMENT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status      INTEGER,
    outcome     TEXT NOT NULL
);
CREATE INDEX deliveries_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_at ON deliveries (at);
