-- what: BITMAP cast to VARCHAR and CHAR.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, TRY_CAST(BITMAP_BUILD(a) AS VARCHAR(4)) AS s, CAST(BITMAP_BUILD(a) AS CHAR(10)) AS c FROM j;
