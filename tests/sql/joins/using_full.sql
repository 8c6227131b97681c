-- what: FULL JOIN … USING: the key column is that of whichever side has the row; it can be named alone.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE dept (id INT, title STRING) WITH ('connector'='filesystem','path'='${DATA}/dept.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, name, title FROM (SELECT id * 10 AS id, name FROM emp) AS a FULL JOIN dept AS b USING (id);
