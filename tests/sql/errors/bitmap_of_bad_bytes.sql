-- what: BITMAP_FROM_BYTES of bytes that are none.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, BITMAP_FROM_BYTES(CAST(name AS BYTES)) AS b FROM emp;
