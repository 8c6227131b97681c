-- what: EXISTS of a correlated subquery beside OR.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id FROM emp WHERE EXISTS (SELECT 1 FROM dept WHERE dept.id = emp.dept AND dept.id < 25) OR id = 5;
