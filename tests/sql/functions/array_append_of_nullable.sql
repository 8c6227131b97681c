-- what: ARRAY_APPEND and ARRAY_PREPEND of an element that may be NULL.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT id, ARRAY_APPEND(ARRAY[id, boss], boss) AS a, ARRAY_PREPEND(ARRAY[id, boss], boss) AS b, ARRAY_APPEND(ARRAY[name, name], name) AS c, ARRAY_APPEND(ARRAY[ROW(id)], ROW(id)) AS d, ARRAY_APPEND(ARRAY_APPEND(ARRAY[id, boss], boss), boss) AS e FROM emp;
