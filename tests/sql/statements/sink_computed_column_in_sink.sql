-- what: A sink with a computed column: it is not written to.
-- compare: rows
CREATE TABLE s (a INT, b AS a + 1, c STRING) WITH ('connector'='print');
INSERT INTO s VALUES (1, 'x');
