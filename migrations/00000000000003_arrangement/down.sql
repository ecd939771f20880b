DROP TABLE interests;
DROP TABLE rounds;
DROP TABLE requirements;
DROP TABLE lots;
DROP TABLE participants;
DROP TABLE arrangements;
