-- what: BITMAP cast to STRING, and its name.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, TYPEOF(BITMAP_BUILD(a)) AS t, CAST(BITMAP_BUILD(a) AS STRING) AS s FROM j;
