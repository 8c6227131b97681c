-- what: INSERT names a column twice.
-- compare: rows
CREATE TABLE s (a INT, b STRING) WITH ('connector'='print');
INSERT INTO s (a, a) VALUES (1, 2);
