-- what: Sessions that a row in the past merges, behind late rows.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_start, window_end, COUNT(*) AS n, MIN(id) AS lo, MAX(id) AS hi FROM TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '9' SECOND)) GROUP BY k, window_start, window_end;
