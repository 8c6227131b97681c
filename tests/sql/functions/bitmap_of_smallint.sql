-- what: BITMAP_BUILD of SMALLINT.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(ARRAY[CAST(1 AS SMALLINT)]) AS n FROM j;
