-- what: COUNT(*) reads no column: a text where a number is expected is not looked at.
-- compare: rows
-- optimizer: on
CREATE TABLE t (id INT, name INT, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT COUNT(*) AS n FROM t;
