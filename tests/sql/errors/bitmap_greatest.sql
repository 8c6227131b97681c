-- what: GREATEST of BITMAP.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT GREATEST(BITMAP_BUILD(ARRAY[id]), BITMAP_BUILD(ARRAY[boss])) AS b FROM emp;
