-- what: elements that are arrays with NULLs.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT k, ARRAY_DISTINCT(ARRAY[a, a]) AS c0, ARRAY_DISTINCT(ARRAY_APPEND(ARRAY[a], a)) AS c1, ARRAY_CONTAINS(ARRAY[a], a) AS c2, ARRAY_UNION(ARRAY[a], ARRAY[a]) AS c3, ARRAY_DISTINCT(ARRAY[ARRAY_REVERSE(a), ARRAY_REVERSE(a)]) AS c4 FROM j;
