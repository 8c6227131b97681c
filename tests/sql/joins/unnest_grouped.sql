-- what: Elements are counted.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT tag, COUNT(*) AS n FROM nested CROSS JOIN UNNEST(tags) AS u(tag) GROUP BY tag;
