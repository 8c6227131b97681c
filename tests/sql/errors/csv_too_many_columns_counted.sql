-- what: COUNT(*) reads no column: what is malformed in one is not looked at.
-- compare: rows
CREATE TABLE t (id BIGINT, name STRING) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv');
SELECT COUNT(*) AS n FROM t;
