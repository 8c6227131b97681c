-- what: ARRAY_APPEND and others of arrays and maps that may be NULL.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT k, ARRAY_APPEND(a, k) AS a, ARRAY_APPEND(ARRAY[a, a], a) AS b, ARRAY_PREPEND(ARRAY[a, a], a) AS c, ARRAY_APPEND(ARRAY[m], m) AS d, ARRAY_REMOVE(ARRAY[a, a], a) AS e, ARRAY_CONTAINS(ARRAY[a], a) AS f, ARRAY_POSITION(ARRAY[a], a) AS g, ARRAY_APPEND(ARRAY[m, m], MAP['x', k]) AS h, ARRAY_APPEND(ARRAY[a, a], ARRAY[k]) AS i, ARRAY_APPEND(ARRAY[d], d) AS l FROM j;
