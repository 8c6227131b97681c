-- what: GROUP BY a BITMAP.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT BITMAP_BUILD(a) AS b, COUNT(*) AS n FROM j GROUP BY BITMAP_BUILD(a);
