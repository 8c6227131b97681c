-- what: DESCRIBE without comments.
-- compare: rows
CREATE TABLE u (a INT, r ROW<x INT, y STRING>, l ARRAY<INT>, mp MAP<STRING, INT>) WITH ('connector'='blackhole');
DESC u;
