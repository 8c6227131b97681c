-- what: an expression equals itself, NULLs and NaN inside or not.
-- compare: changelog
CREATE TABLE j (k INT, a ARRAY<INT>, m MAP<STRING, INT>, d DOUBLE) WITH ('connector'='filesystem','path'='${DATA}/nulls_inside.json','format'='json');
SELECT k, a = a AS c0, m = m AS c1, SQRT(d) = SQRT(d) AS c2, m <> m AS c3, a <> a AS c4, SQRT(d) <= SQRT(d) AS c5, COALESCE(m, m) = m AS c6, ARRAY_REVERSE(a) = ARRAY_REVERSE(a) AS c7 FROM j;
