-- what: A scalar subquery of a table in WHERE.
-- compare: rows
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id FROM dept WHERE id = (SELECT id FROM dept WHERE title = 'sales');
