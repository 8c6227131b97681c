-- what: MAX of BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT MAX(BITMAP_BUILD(a)) AS s FROM j;
