-- what: A BIGINT into an INT column, a DOUBLE into a FLOAT column, a TIMESTAMP into a DATE column.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (a INT, b FLOAT, d DATE) WITH ('connector'='print');
INSERT INTO s SELECT CAST(id AS BIGINT), CAST(id AS DOUBLE), CAST('2024-01-02 03:04:05.678' AS TIMESTAMP(3)) FROM emp;
