-- what: DISTINCT in hopping windows over a changing input.
-- compare: rows
CREATE TABLE c (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/cdc_times.json','format'='debezium-json');
SELECT window_end, COUNT(DISTINCT v) AS u, SUM(DISTINCT v) AS s FROM TABLE(HOP(TABLE c, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)) GROUP BY window_start, window_end;
