-- what: COUNT DISTINCT of BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT COUNT(DISTINCT BITMAP_BUILD(a)) AS c FROM j;
