-- what: BITMAP aggregates of groups with NULLs alone.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT dept, BITMAP_BUILD_AGG(boss) AS b, BITMAP_BUILD_CARDINALITY_AGG(boss) AS c, BITMAP_AND_AGG(BITMAP_BUILD(CASE WHEN boss IS NULL THEN NULL ELSE ARRAY[boss, 1] END)) AS a, BITMAP_OR_CARDINALITY_AGG(BITMAP_BUILD(CASE WHEN boss IS NULL THEN NULL ELSE ARRAY[boss] END)) AS o FROM emp GROUP BY dept;
