-- what: A STRING into an INT column.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (a INT) WITH ('connector'='print');
INSERT INTO s SELECT name FROM emp;
