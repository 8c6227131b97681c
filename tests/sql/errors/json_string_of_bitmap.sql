-- what: JSON_STRING of BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, JSON_STRING(BITMAP_BUILD(a)) AS n FROM j;
