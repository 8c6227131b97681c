-- what: ARRAY_APPEND of an array whose elements may be NULL to arrays whose may not.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_APPEND(ARRAY[ARRAY[1]], ARRAY[id]) AS b FROM emp;
