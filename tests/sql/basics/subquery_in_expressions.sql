-- what: Scalar subqueries inside COALESCE and CASE.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, COALESCE((SELECT MAX(id) FROM dept), 0) + 1 AS t, CASE WHEN id > (SELECT MIN(id) FROM dept) THEN 'a' ELSE 'b' END AS c FROM emp;
