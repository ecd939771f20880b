DROP TABLE homes;
DROP TABLE providers;
