-- what: BITMAP_BUILD_AGG of SMALLINT, with FILTER and DISTINCT.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT BITMAP_BUILD_AGG(CAST(id AS SMALLINT)) AS b, BITMAP_BUILD_AGG(id) FILTER (WHERE id > 4) AS f, BITMAP_BUILD_AGG(DISTINCT dept) AS d FROM emp;
