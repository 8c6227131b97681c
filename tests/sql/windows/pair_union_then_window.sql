-- what: Two streams together, then a window: the smaller watermark counts.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW u AS SELECT id, k, ts FROM b WHERE id < 10 UNION ALL SELECT id + 100, k, ts FROM b WHERE id >= 5;
SELECT k, window_end, COUNT(*) AS n, MIN(id) AS lo FROM TABLE(TUMBLE(TABLE u, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
