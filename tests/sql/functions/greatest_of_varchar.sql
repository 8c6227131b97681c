-- what: GREATEST and LEAST of equal character types.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, GREATEST(a, b) AS g, LEAST(a, b, a) AS l, GREATEST(a, name) AS h, GREATEST(CAST(a AS CHAR(3)), CAST(b AS CHAR(3))) AS c FROM (SELECT id, name, CAST(name AS VARCHAR(4)) AS a, CAST(name AS VARCHAR(4)) AS b FROM emp) AS t;
