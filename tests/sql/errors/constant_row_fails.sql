-- what: A constant row that cannot be made fails where a row reaches it.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ROW(1 / 0, 2) AS a FROM emp;
