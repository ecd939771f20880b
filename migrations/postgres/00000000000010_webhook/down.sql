DROP TABLE job_runs;
DROP TABLE deliveries;
DROP TABLE subscription_secrets;
DROP TABLE subscription_progress;
DROP TABLE subscriptions;
