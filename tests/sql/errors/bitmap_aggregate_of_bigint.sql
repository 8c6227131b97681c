-- what: BITMAP_BUILD_AGG wants INT.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT BITMAP_BUILD_AGG(CAST(id AS BIGINT)) AS b FROM emp;
