-- what: BITMAP_BUILD and what it becomes; INTs count as unsigned.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(a) AS b, BITMAP_TO_STRING(BITMAP_BUILD(a)) AS s, BITMAP_CARDINALITY(BITMAP_BUILD(a)) AS n, BITMAP_TO_ARRAY(BITMAP_BUILD(a)) AS r FROM j;
