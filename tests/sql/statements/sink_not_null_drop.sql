-- what: Rows with NULL in a NOT NULL column of the sink are dropped when asked.
-- compare: rows
SET 'table.exec.sink.not-null-enforcer' = 'DROP';
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (id INT, name STRING NOT NULL, dept INT NOT NULL) WITH ('connector'='print');
INSERT INTO s SELECT id, name, dept FROM emp;
