-- what: Casts of times before 1970 to days and fewer digits.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CAST(t3 AS DATE) AS c0, CAST(t6 AS DATE) AS c1, CAST(t3 AS TIMESTAMP(0)) AS c2, CAST(t6 AS TIMESTAMP(3)) AS c3, CAST(t6 AS TIMESTAMP(1)) AS c4, CAST(d AS TIMESTAMP(3)) AS c5, EXTRACT(DOY FROM d) AS c6, EXTRACT(WEEK FROM d) AS c7, DAYOFWEEK(d) AS c8, YEAR(t3) AS c9, EXTRACT(HOUR FROM t6) AS c10 FROM early;
