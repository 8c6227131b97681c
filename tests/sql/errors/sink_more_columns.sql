-- what: A query of more columns than its sink has.
-- compare: rows
CREATE TABLE s (a INT, b INT) WITH ('connector'='print');
INSERT INTO s VALUES (1, 2, 3);
