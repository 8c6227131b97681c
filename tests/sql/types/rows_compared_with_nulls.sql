-- what: Rows that are written out are compared value by value.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, (id, dept) = (1, boss) AS a, (dept, name) <> (boss, 'x') AS b, (id, name) = (id, name) AS c FROM emp;
