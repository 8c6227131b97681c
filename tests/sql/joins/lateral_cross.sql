-- what: A LATERAL subquery whose column names are given, joined with a condition of its own; another that reads nothing around it.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT d.title, t.n, u.m FROM dept d JOIN LATERAL (SELECT name, id FROM emp e WHERE e.dept = d.id) AS t (n, i) ON t.i > 1 CROSS JOIN LATERAL (SELECT MAX(salary) AS m FROM emp) AS u;
