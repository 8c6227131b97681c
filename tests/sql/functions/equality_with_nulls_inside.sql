-- what: NULLs in arrays and maps equal none, unless Flink compares bytes.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT k, a = ARRAY_REVERSE(ARRAY_REVERSE(a)) AS c0, m = MAP_UNION(m, m) AS c1, ARRAY[1, CAST(NULL AS INT)] = a AS c2, ARRAY[ARRAY[1, NULL], a] = ARRAY[a, a] AS c3, ROW(a) = ROW(ARRAY_REVERSE(ARRAY_REVERSE(a))) AS c4 FROM j;
