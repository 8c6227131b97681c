-- what: Retractions through a cascade of windows.
-- compare: rows
CREATE TABLE c (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/cdc_times.json','format'='debezium-json');
CREATE VIEW w AS SELECT k, window_time AS wt, SUM(v) AS v, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT k, window_end, SUM(v) AS v, SUM(n) AS n FROM TABLE(TUMBLE(TABLE w, DESCRIPTOR(wt), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
