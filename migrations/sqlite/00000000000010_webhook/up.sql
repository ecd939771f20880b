CREATE TABLE subscriptions (
    id         BLOB NOT NULL PRIMARY KEY,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    body       TEXT NOT NULL,
    owner      TEXT NOT NULL
);
CREATE INDEX subscriptions_owner ON subscriptions (owner, id);

CREATE TABLE subscription_progress (
    subscription_id BLOB NOT NULL PRIMARY KEY REFERENCES subscriptions (id),
    tx       BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    next_at  BIGINT
) WITHOUT ROWID;

CREATE TABLE subscription_secrets (
    id       BLOB NOT NULL PRIMARY KEY,
    subscription_id BLOB NOT NULL REFERENCES subscriptions (id),
    sealed   BLOB NOT NULL,
    until    BIGINT
);
CREATE INDEX subscription_secrets_subscription ON subscription_secrets (subscription_id, id);

CREATE TABLE deliveries (
    id       BLOB NOT NULL PRIMARY KEY,
    subscription_id BLOB NOT NULL REFERENCES subscriptions (id),
    event_id BLOB NOT NULL,
    kind     TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    at       BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    status   INTEGER,
    outcome  TEXT NOT NULL
);
CREATE INDEX deliveries_subscription ON deliveries (subscription_id, id);
CREATE INDEX deliveries_at ON deliveries (at);

CREATE TABLE job_runs (
    id       BLOB NOT NULL PRIMARY KEY,
    job      TEXT NOT NULL,
    at       BIGINT NOT NULL,
    duration_ms BIGINT NOT NULL,
    made     BIGINT NOT NULL,
    failed   BIGINT NOT NULL
);
CREATE INDEX job_runs_job ON job_runs (job, id);
CREATE INDEX job_runs_at ON job_runs (at);
