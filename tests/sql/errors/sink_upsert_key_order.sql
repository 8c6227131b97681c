-- what: A changelog into a print sink with a primary key that is not the query's.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (dept INT, n BIGINT, PRIMARY KEY (n) NOT ENFORCED) WITH ('connector'='print');
INSERT INTO s SELECT dept, COUNT(*) FROM emp GROUP BY dept;
