-- what: TO_TIMESTAMP_LTZ of a text that is no time.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT TO_TIMESTAMP_LTZ(name) AS a FROM emp WHERE id = 1;
