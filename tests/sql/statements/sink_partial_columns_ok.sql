-- what: INSERT with a list of columns in another order: the others are NULL.
-- compare: rows
CREATE TABLE s (a INT, b STRING, c INT) WITH ('connector'='print');
INSERT INTO s (b, a) VALUES ('x', 1), ('y', 2);
