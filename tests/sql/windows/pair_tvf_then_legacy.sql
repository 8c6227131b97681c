-- what: A window function, then a window of GROUP BY over its window_time.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
CREATE VIEW w AS SELECT k, window_time AS wt, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end, window_time;
SELECT HOP_END(wt, INTERVAL '10' SECOND, INTERVAL '20' SECOND) AS e, SUM(n) AS n FROM w GROUP BY HOP(wt, INTERVAL '10' SECOND, INTERVAL '20' SECOND);
