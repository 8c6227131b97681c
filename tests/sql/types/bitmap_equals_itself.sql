-- what: one BITMAP compared with itself.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_BUILD(a) = BITMAP_BUILD(a) AS s FROM j;
