-- what: BITMAP of constants and NULL.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(ARRAY[1, 2]) AS n, BITMAP_CARDINALITY(CAST(NULL AS BITMAP)) AS c, BITMAP_TO_STRING(CAST(NULL AS BITMAP)) AS d FROM j;
