DROP INDEX CONCURRENTLY interests_provider;
