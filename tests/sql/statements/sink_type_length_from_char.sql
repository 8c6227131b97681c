-- what: CHAR and VARCHAR columns of other lengths into a sink, without an enforcer.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (id INT, v VARCHAR(2), c CHAR(6)) WITH ('connector'='print');
INSERT INTO s SELECT id, CAST(name AS VARCHAR(3)), CAST(name AS CHAR(4)) FROM emp;
