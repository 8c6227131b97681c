-- what: An inner join with UNNEST on a condition.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT id, n FROM nested JOIN UNNEST(items) AS u(sku, n) ON n > id;
