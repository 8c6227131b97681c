-- what: Of the columns that a query does not read a malformed one is not looked at.
-- compare: rows
-- optimizer: on
CREATE TABLE t (id INT, name INT, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT COUNT(*) AS n, SUM(salary) AS s FROM t WHERE id > 2;
