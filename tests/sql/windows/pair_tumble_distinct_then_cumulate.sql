-- what: COUNT(DISTINCT) in a window, then a cumulating window over its window_time.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW w AS SELECT k, window_time AS wt, COUNT(DISTINCT s) AS u FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT window_start, window_end, SUM(u) AS u, COUNT(*) AS n FROM TABLE(CUMULATE(TABLE w, DESCRIPTOR(wt), INTERVAL '10' SECOND, INTERVAL '30' SECOND)) GROUP BY window_start, window_end;
