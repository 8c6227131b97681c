-- what: ARRAY_DISTINCT of arrays with NULLs in them.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_DISTINCT(ARRAY[ARRAY[id, boss], ARRAY[id, boss]]) AS a, ARRAY_CONTAINS(ARRAY[ARRAY[id, boss]], ARRAY[id, boss]) AS b, ARRAY[id, boss] = ARRAY[id, boss] AS c FROM emp;
