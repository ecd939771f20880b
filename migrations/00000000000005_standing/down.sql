DROP TABLE deadlines;
DROP TABLE impediments;
DROP TABLE appeals;
DROP TABLE removals;
DROP TABLE sanctions;
DROP TABLE improvement_notices;
DROP TABLE suspensions;
