-- what: LEFT JOIN LATERAL, correlated by an equality and another condition, without LIMIT.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT d.id, d.title, t.who, t.pay FROM dept d LEFT JOIN LATERAL (SELECT UPPER(name) AS who, salary * 2 AS pay FROM emp e WHERE e.dept = d.id AND e.salary > 4200) AS t ON TRUE;
