-- what: BITMAP read from bytes.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_TO_STRING(BITMAP_FROM_BYTES(BITMAP_TO_BYTES(BITMAP_BUILD(a)))) AS s, BITMAP_TO_STRING(BITMAP_FROM_BYTES(x'3A30000001000000000002001000000001000300050000')) AS y FROM j;
