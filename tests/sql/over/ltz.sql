-- what: OVER by TIMESTAMP_LTZ.
-- compare: rows
CREATE TABLE t (id INT, usr STRING, page STRING, tt TIMESTAMP(3), ts AS CAST(tt AS TIMESTAMP_LTZ(3)), WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH ('connector'='filesystem','path'='${DATA}/clicks.csv','format'='csv','csv.null-literal'='n/a');
SELECT id, ts, COUNT(*) OVER (PARTITION BY usr ORDER BY ts RANGE BETWEEN INTERVAL '8' SECOND PRECEDING AND CURRENT ROW) AS l FROM t;
