DROP TABLE exits;
DROP TABLE locations;
