-- what: Texts and bytes longer than the sink's columns, table.exec.sink.type-length-enforcer = 'error'.
-- compare: rows
SET 'table.exec.sink.type-length-enforcer' = 'error';
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (id INT, v VARCHAR(2), w VARBINARY(1), a ARRAY<VARCHAR(2)>) WITH ('connector'='print');
INSERT INTO s SELECT id, name, CAST(name AS BYTES), ARRAY[name] FROM emp;
