-- what: BITMAP inside ARRAY, ROW, COALESCE and CASE.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, ARRAY[BITMAP_BUILD(a)] AS n, COALESCE(BITMAP_BUILD(a), BITMAP_BUILD(ARRAY[9])) AS c, CASE WHEN k > 2 THEN BITMAP_BUILD(a) END AS d, ROW(BITMAP_BUILD(a)) AS r FROM j;
