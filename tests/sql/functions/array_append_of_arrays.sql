-- what: ARRAY_APPEND and ARRAY_PREPEND of arrays: the nullability of the element.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ARRAY_APPEND(ARRAY[ARRAY[id, boss]], ARRAY[id]) AS a, ARRAY_APPEND(ARRAY[ARRAY[1]], ARRAY[2]) AS b, ARRAY_PREPEND(ARRAY[ARRAY[id, boss]], ARRAY[1]) AS c, ARRAY_APPEND(ARRAY[ARRAY[id, boss]], CASE WHEN id > 3 THEN ARRAY[id] END) AS d, ARRAY_APPEND(ARRAY[1, 2], boss) AS e FROM emp;
