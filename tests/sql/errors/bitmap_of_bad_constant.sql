-- what: A constant BITMAP that cannot be made fails where a row reaches it.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, BITMAP_FROM_BYTES(x'00') AS b FROM emp;
