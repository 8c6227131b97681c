-- what: IN of columns, NULLs and expressions.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, id IN (boss, 3) AS a, boss NOT IN (1, NULL) AS b, name IN ('ann', UPPER(name)) AS c, CASE id WHEN 1 THEN boss IN (1, 2) ELSE id IN (boss + 1) END AS d, (id IN (1, 2)) = (boss IN (1)) AS e FROM emp;
