-- what: UNNEST of rows of which one is NULL.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT id, a, b FROM nested CROSS JOIN UNNEST(ARRAY[CAST(NULL AS ROW<a INT, b STRING>), ROW(id, 'x')]) AS u(a, b) WHERE id < 3;
