-- what: The names of an UNNEST without a list of columns.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT id, tag, u.*, m.* FROM nested, UNNEST(tags) AS tag, UNNEST(items) AS u, UNNEST(attrs) AS m;
