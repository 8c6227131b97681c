-- what: INSERT with a list of columns: the others are NULL, which a NOT NULL column refuses.
-- compare: rows
CREATE TABLE s (a INT, b STRING, c INT NOT NULL) WITH ('connector'='print');
INSERT INTO s (b, a) VALUES ('x', 1);
