-- what: A scalar subquery with LIMIT 1.
-- compare: rows
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, (SELECT title FROM dept LIMIT 1) AS c FROM dept;
