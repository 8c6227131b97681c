-- what: Instants before 1970.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TO_TIMESTAMP_LTZ(-id * 86400 - 1, 0) AS c0, TO_TIMESTAMP_LTZ(-id * 86400001, 3) AS c1, CAST(t3 AS TIMESTAMP_LTZ(3)) AS c2, CAST(CAST(t3 AS TIMESTAMP_LTZ(3)) AS DATE) AS c3, CAST(CAST(t6 AS TIMESTAMP_LTZ(6)) AS TIMESTAMP(6)) AS c4, DATE_FORMAT(CAST(t3 AS TIMESTAMP_LTZ(3)), 'yyyy-MM-dd HH:mm:ss.SSS') AS c5 FROM early;
