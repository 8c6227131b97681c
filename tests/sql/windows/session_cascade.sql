-- what: A tumbling window over the window time of sessions.
-- compare: changelog
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW q AS SELECT k, window_time AS wt, COUNT(*) AS x FROM TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT window_start, window_end, COUNT(*) AS n, SUM(x) AS x FROM TABLE(TUMBLE(TABLE q, DESCRIPTOR(wt), INTERVAL '20' SECOND)) GROUP BY window_start, window_end;
