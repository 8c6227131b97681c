-- what: ARRAY_DISTINCT and others of maps with NULL values, which are never the same.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_DISTINCT(ARRAY[MAP['a', boss], MAP['a', boss]]) AS a, ARRAY_CONTAINS(ARRAY[MAP['a', boss]], MAP['a', boss]) AS b, ARRAY_UNION(ARRAY[MAP['a', boss]], ARRAY[MAP['a', boss]]) AS c, ARRAY_EXCEPT(ARRAY[MAP['a', boss]], ARRAY[MAP['a', boss]]) AS d, ARRAY_POSITION(ARRAY[MAP['a', boss]], MAP['a', boss]) AS e, ARRAY_REMOVE(ARRAY[MAP['a', boss]], MAP['a', boss]) AS f FROM emp;
