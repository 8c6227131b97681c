-- what: An updating query into a table of files.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (dept INT, n BIGINT) WITH ('connector'='filesystem','path'='${OUT}/s','format'='csv');
INSERT INTO s SELECT dept, COUNT(*) FROM emp GROUP BY dept;
