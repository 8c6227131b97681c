-- what: Rows behind TRY_CAST, CASE and IN.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TRY_CAST(ROW(id, boss) AS ROW<x BIGINT, y BIGINT>) = ROW(dept, id) AS c0,
 (id, dept) IN ((1, 10), (2, 30), (4, NULL)) AS c1, ROW(id, boss) IN (ROW(3, 1)) AS c2
FROM emp;
