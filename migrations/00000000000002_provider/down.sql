DROP TABLE homes;
DROP TABLE provider_refs;
DROP TABLE providers;
