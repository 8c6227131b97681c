-- what: BITMAP aggregates of rows that are updated.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT BITMAP_TO_STRING(BITMAP_OR_AGG(b)) AS o, BITMAP_TO_STRING(BITMAP_AND_AGG(b)) AS a, BITMAP_TO_STRING(BITMAP_XOR_AGG(b)) AS x, BITMAP_TO_STRING(BITMAP_BUILD_AGG(n)) AS bn, BITMAP_OR_CARDINALITY_AGG(b) AS oc, BITMAP_BUILD_CARDINALITY_AGG(n) AS nc FROM (SELECT dept, BITMAP_BUILD_AGG(id) AS b, CAST(COUNT(*) AS INT) AS n FROM emp GROUP BY dept) AS t;
