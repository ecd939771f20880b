DROP TABLE memberships;
DROP TABLE declarations_of_interests;
DROP TABLE compliance_checks;
DROP TABLE applications;
