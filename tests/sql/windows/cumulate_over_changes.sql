-- what: Cumulating windows over a changing input.
-- compare: rows
CREATE TABLE c (id INT, k STRING, v INT, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/cdc_times.json','format'='debezium-json');
SELECT k, window_start, window_end, COUNT(*) AS n, SUM(v) AS v FROM TABLE(CUMULATE(TABLE c, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) GROUP BY k, window_start, window_end;
