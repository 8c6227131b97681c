-- what: DISTINCT rows, then a window aggregate over them.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW dd AS SELECT DISTINCT k, s, ts FROM b;
SELECT k, window_start, COUNT(*) AS n, COUNT(DISTINCT s) AS u FROM TABLE(TUMBLE(TABLE dd, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
