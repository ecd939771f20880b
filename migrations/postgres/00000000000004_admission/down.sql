DROP TABLE memberships;
DROP TABLE declarations;
DROP TABLE checks;
DROP TABLE applications;
