-- what: IN with a subquery whose row changes.
-- compare: rows
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id FROM emp WHERE id IN (SELECT MAX(id) FROM emp);
