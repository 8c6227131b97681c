-- what: maps with NULL values compared: a NULL value equals none.
-- compare: changelog
CREATE TABLE emp (id INT, name STRING, dept INT, salary DECIMAL(8,2), boss INT) WITH ('connector'='filesystem','path'='${DATA}/emp.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, MAP['a', boss] = MAP['a', ABS(boss)] AS a, MAP['a', boss, 'b', id] = MAP['b', id, 'a', ABS(boss)] AS b, MAP['a', boss] <> MAP['a', ABS(boss)] AS c, MAP['a', boss] = MAP['a', id] AS d, MAP['a', 1] = MAP['b', 1] AS e, ARRAY[MAP['a', boss]] = ARRAY[MAP['a', ABS(boss)]] AS f, MAP['a', boss] IS DISTINCT FROM MAP['a', ABS(boss)] AS g, MAP['a', ARRAY[boss]] = MAP['a', ARRAY[ABS(boss)]] AS h, MAP['a', boss] = MAP['a', boss] AS i, MAP['a', boss] IN (MAP['x', 1], MAP['a', ABS(boss)]) AS j FROM emp;
