-- what: the pattern of FROM_UNIXTIME has no quarters.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, FROM_UNIXTIME(id, 'Q') AS a FROM emp;
