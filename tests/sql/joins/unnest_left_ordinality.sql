-- what: LEFT JOIN UNNEST WITH ORDINALITY, of an expression.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT id, x, o FROM nested LEFT JOIN UNNEST(ARRAY_DISTINCT(tags)) WITH ORDINALITY AS u(x, o) ON TRUE;
