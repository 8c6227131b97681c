-- what: Texts of intervals cast on.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TRY_CAST(CAST(INTERVAL '1' DAY * id AS STRING) AS DATE) AS c0, TRY_CAST(CAST(INTERVAL '1' DAY * id AS STRING) AS TIME) AS c1, TRY_CAST(CAST(INTERVAL '1' YEAR * id AS STRING) AS DATE) AS c2, TRY_CAST(CAST(INTERVAL '1' YEAR * id AS STRING) AS TIME) AS c3, TRY_CAST(CAST(INTERVAL '2' YEAR AS STRING) AS TIME) AS c4 FROM emp;
