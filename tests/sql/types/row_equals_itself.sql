-- what: A row equals itself; the type is that of its values' comparisons.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ROW(id, name) = COALESCE(ROW(id, name), ROW(id, name)) AS a FROM emp;
