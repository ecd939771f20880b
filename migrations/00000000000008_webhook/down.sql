DROP TABLE deliveries;
DROP TABLE webhook_secrets;
DROP TABLE webhook_progress;
DROP TABLE webhooks;
