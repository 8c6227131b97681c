-- what: A constant that cannot be computed fails where a row reaches it.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, UPPER(CAST(1/0 AS STRING)) AS x FROM emp;
