-- what: A scalar subquery in a SELECT without FROM.
-- compare: rows
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT (SELECT MAX(id) FROM dept) AS m;
