-- what: TO_TIMESTAMP_LTZ of texts, with and without a pattern.
-- compare: changelog
CREATE TABLE times (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9)) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, TO_TIMESTAMP_LTZ(CAST(t3 AS STRING)) AS a, TO_TIMESTAMP_LTZ(CAST(d AS STRING)) AS b, TO_TIMESTAMP_LTZ(CAST(d AS STRING), 'yyyy-MM-dd') AS c, TO_TIMESTAMP_LTZ('x', 'yyyy-MM-dd') AS e FROM times WHERE id NOT IN (5, 6);
