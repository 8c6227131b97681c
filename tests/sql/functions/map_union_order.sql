-- what: MAP_UNION puts the entries of the last map first.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CAST(MAP_UNION(MAP['a', id], MAP['b', 2], MAP['a', 3, 'c', 4]) AS STRING) AS c0, MAP_KEYS(MAP_UNION(MAP['x', id], MAP['y', id, 'z', 1])) AS c1, MAP_VALUES(MAP_UNION(MAP['x', id, 'y', 7], MAP['y', id, 'z', 1])) AS c2, CAST(MAP_UNION(MAP['x', id, 'y', 7]) AS STRING) AS c3 FROM emp;
