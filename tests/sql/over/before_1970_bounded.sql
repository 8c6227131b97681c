-- what: A bounded frame takes rows at or before 1970 for late.
-- compare: rows
CREATE TABLE t (id INT, d DATE, t TIME(0), t0 TIMESTAMP(0), t3 TIMESTAMP(3), t6 TIMESTAMP(6), t9 TIMESTAMP(9), ts AS COALESCE(t3, TIMESTAMP '1970-01-01 00:00:00.000'), WATERMARK FOR ts AS ts - INTERVAL '80' YEAR) WITH ('connector'='filesystem','path'='${DATA}/times.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ts, COUNT(*) OVER (ORDER BY ts ROWS 5 PRECEDING) AS l FROM t;
