-- what: NATURAL LEFT JOIN: equal in all columns that both have, which stand first.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT * FROM (SELECT name, dept AS id FROM emp) AS a NATURAL LEFT JOIN dept;
