-- what: BITMAP as bytes, containers in their smallest form.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>) WITH ('connector'='filesystem','path'='${DATA}/bitmap_numbers.json','format'='json');
SELECT k, BITMAP_TO_STRING(BITMAP_BUILD(a)) AS s, BITMAP_CARDINALITY(BITMAP_BUILD(a)) AS n, BITMAP_TO_ARRAY(BITMAP_BUILD(a)) AS r, BITMAP_TO_BYTES(BITMAP_BUILD(a)) AS y FROM j;
