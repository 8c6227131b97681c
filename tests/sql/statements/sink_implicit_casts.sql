-- what: Types that a sink takes by an implicit cast: narrower and wider numbers, decimals, times.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (a BIGINT, b DECIMAL(10, 4), c DOUBLE, d TIMESTAMP(6), e DECIMAL(6, 1)) WITH ('connector'='print');
INSERT INTO s SELECT id, salary, salary, CAST('2024-01-02 03:04:05.678' AS TIMESTAMP(3)), salary FROM emp;
