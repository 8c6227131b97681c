-- what: An insert-only query into a print sink with a primary key.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE s (id INT, name STRING, PRIMARY KEY (id) NOT ENFORCED) WITH ('connector'='print'); INSERT INTO s SELECT id, name FROM emp WHERE id IS NOT NULL;
