-- what: USING over three tables, with a qualified name of a key column.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, a.id AS aid, b.id AS bid, name, title, n FROM (SELECT dept AS id, name FROM emp) AS a JOIN dept AS b USING (id) LEFT JOIN (SELECT dept AS id, COUNT(*) AS n FROM emp GROUP BY dept) AS c USING (id);
