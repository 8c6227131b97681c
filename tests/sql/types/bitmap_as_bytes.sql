-- what: BITMAP cast to BYTES.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, CAST(BITMAP_BUILD(a) AS BYTES) AS s FROM j;
