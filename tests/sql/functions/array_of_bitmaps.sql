-- what: arrays of BITMAP.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_CONTAINS(ARRAY[BITMAP_BUILD(ARRAY[id])], BITMAP_BUILD(ARRAY[1])) AS b, CARDINALITY(ARRAY_DISTINCT(ARRAY[BITMAP_BUILD(ARRAY[id]), BITMAP_BUILD(ARRAY[id])])) AS c FROM emp;
