-- what: no cast of bytes to BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, CAST(x'3A30000001000000000002001000000001000300050000' AS BITMAP) AS s FROM j;
