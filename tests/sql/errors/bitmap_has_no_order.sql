-- what: BITMAP < BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(a) < BITMAP_BUILD(ARRAY[1, 3, 5]) AS s FROM j;
