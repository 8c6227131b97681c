-- what: IN of a subquery as a value: TRUE, FALSE, and NULL for NULLs on either side.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, dept IN (SELECT id FROM dept) AS a FROM emp;
