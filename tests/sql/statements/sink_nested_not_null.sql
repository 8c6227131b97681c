-- what: NULL in a NOT NULL field of a ROW, and in an ARRAY of NOT NULL elements, written to a sink.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (id INT, r ROW<n STRING NOT NULL, d INT>) WITH ('connector'='print');
INSERT INTO s SELECT id, ROW(name, dept) FROM emp;
