DROP TABLE homes;
DROP TABLE provider_refs;
DROP TABLE provider_names;
DROP TABLE providers;
