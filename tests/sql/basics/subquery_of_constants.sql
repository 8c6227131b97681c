-- what: Scalar subqueries of a constant and of NULL.
-- compare: rows
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, (SELECT 5) AS c, (SELECT CAST(NULL AS INT)) AS d FROM dept;
