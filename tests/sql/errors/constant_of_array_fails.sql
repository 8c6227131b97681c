-- what: A number of a constant array that cannot be made fails when planned.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CARDINALITY(ARRAY[1 / 0]) AS a FROM emp;
