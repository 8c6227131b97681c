-- what: Rows that are written out and cast are compared value by value.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ROW(id, 'b') = CAST(ROW(dept, name) AS ROW<x BIGINT, y STRING>) AS c0,
 CAST(ROW(id, boss) AS ROW<x BIGINT, y BIGINT>) = CAST(ROW(id, dept) AS ROW<x BIGINT, y BIGINT>) AS c1,
 CAST(ROW(id, boss) AS ROW<x BIGINT, y BIGINT>) = CAST(ROW(id, boss) AS ROW<x BIGINT, y BIGINT>) AS c3
FROM emp;
