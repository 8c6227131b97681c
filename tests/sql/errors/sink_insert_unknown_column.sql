-- what: INSERT names a column that the sink does not have.
-- compare: rows
CREATE TABLE s (a INT, b STRING) WITH ('connector'='print');
INSERT INTO s (a, z) VALUES (1, 'x');
