-- what: Sessions of sessions.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW w AS SELECT k, window_time AS wt, COUNT(*) AS n FROM TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '2' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT k, window_start, window_end, SUM(n) AS n, COUNT(*) AS parts FROM TABLE(SESSION(TABLE w PARTITION BY k, DESCRIPTOR(wt), INTERVAL '12' SECOND)) GROUP BY k, window_start, window_end;
