-- what: The nonsense date of TO_DATE as text has the last four digits of its year.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CAST(TO_DATE(name, 'yyyy-MM-dd') AS STRING) AS c0 FROM emp;
