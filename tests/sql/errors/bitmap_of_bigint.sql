-- what: BITMAP_BUILD wants INT.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(ARRAY[CAST(1 AS BIGINT)]) AS n FROM j;
