-- what: IN of a subquery in a CASE.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CASE WHEN dept IN (SELECT id FROM dept WHERE id < 25) THEN 'known' ELSE 'other' END AS a FROM emp;
