-- what: Updates into a sink with the query's key.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (dept INT, n BIGINT, PRIMARY KEY (dept) NOT ENFORCED) WITH ('connector'='print'); INSERT INTO s SELECT dept, COUNT(*) FROM emp WHERE dept IS NOT NULL GROUP BY dept;
