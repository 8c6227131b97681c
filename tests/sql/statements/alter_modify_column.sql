-- what: ALTER TABLE MODIFY a type; DROP a column.
-- compare: rows
CREATE TABLE u (a INT, r ROW<x INT, y STRING>, l ARRAY<INT>, mp MAP<STRING, INT>) WITH ('connector'='blackhole');
ALTER TABLE u MODIFY a BIGINT COMMENT 'now big';
ALTER TABLE u DROP r;
DESCRIBE u;
