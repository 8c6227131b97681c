-- what: Texts and numbers of times before 1970.
-- compare: changelog
CREATE TABLE early (id INT, d DATE, t3 TIMESTAMP(3), t6 TIMESTAMP(6)) WITH ('connector'='filesystem','path'='${DATA}/early.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, CAST(t3 AS STRING) AS c0, CAST(t6 AS STRING) AS c1, CAST(d AS STRING) AS c2, DATE_FORMAT(t3, 'yyyy-MM-dd HH:mm:ss.SSS') AS c3, DATE_FORMAT(t6, 'HH:mm:ss.SSSSSS') AS c4,
 UNIX_TIMESTAMP(CAST(t3 AS STRING)) AS c5, UNIX_TIMESTAMP(CAST(d AS STRING), 'yyyy-MM-dd') AS c6, FROM_UNIXTIME(-id * 86400 - 1) AS c7, TO_TIMESTAMP(CAST(t3 AS STRING)) AS c8, TO_DATE(CAST(d AS STRING)) AS c9, TO_DATE(CAST(d AS STRING), 'yyyy-MM-dd') AS c10 FROM early;
