-- what: ROLLUP in windows over a changing input.
-- compare: rows
CREATE TABLE c (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/cdc_times.json','format'='debezium-json');
SELECT k, window_end, COUNT(*) AS n, SUM(v) AS v, GROUPING(k) AS g FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, ROLLUP (k);
