-- outside a transaction
DROP INDEX CONCURRENTLY interests_provider;
