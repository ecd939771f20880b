DROP INDEX interests_provider;
