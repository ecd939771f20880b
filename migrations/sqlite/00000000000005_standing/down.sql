DROP TABLE appeals;
DROP TABLE removals;
DROP TABLE sanctions;
DROP TABLE notices;
DROP TABLE suspensions;
