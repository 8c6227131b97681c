-- what: ALTER TABLE ADD a column, FIRST and AFTER.
-- compare: rows
CREATE TABLE u (a INT, r ROW<x INT, y STRING>, l ARRAY<INT>, mp MAP<STRING, INT>) WITH ('connector'='blackhole');
ALTER TABLE u ADD (z STRING AFTER a, y BIGINT FIRST);
DESCRIBE u;
