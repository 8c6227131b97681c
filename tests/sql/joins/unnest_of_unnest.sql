-- what: UNNEST of what an UNNEST gave.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT id, o, v FROM nested CROSS JOIN UNNEST(grid) WITH ORDINALITY AS g(r, o) CROSS JOIN UNNEST(r) AS h(v);
