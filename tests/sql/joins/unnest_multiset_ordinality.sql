-- what: UNNEST WITH ORDINALITY of a multiset of constants.
-- compare: rows
CREATE TABLE nested (id INT, tags ARRAY<STRING>, attrs MAP<STRING, INT>, loc ROW<lat DOUBLE, lon DOUBLE, name STRING>,
  grid ARRAY<ARRAY<INT>>, items ARRAY<ROW<sku STRING, n INT>>) WITH ('connector'='filesystem','path'='${DATA}/nested.json','format'='json');
SELECT s, o FROM (SELECT COLLECT(t) AS ms FROM (SELECT 'x' AS t FROM nested) AS y) AS x CROSS JOIN UNNEST(ms) WITH ORDINALITY AS u(s, o);
