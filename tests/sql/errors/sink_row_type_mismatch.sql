-- what: A ROW of other field types into a sink.
-- compare: rows
CREATE TABLE s (r ROW<a INT, b STRING>) WITH ('connector'='print');
INSERT INTO s SELECT ROW(1, 2);
