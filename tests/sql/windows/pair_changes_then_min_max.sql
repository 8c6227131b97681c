-- what: MIN and MAX in windows over a changing input.
-- compare: rows
CREATE TABLE c (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/cdc_times.json','format'='debezium-json');
SELECT k, window_end, MIN(v) AS lo, MAX(v) AS hi, COUNT(DISTINCT v) AS u FROM TABLE(TUMBLE(TABLE c, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY k, window_start, window_end;
