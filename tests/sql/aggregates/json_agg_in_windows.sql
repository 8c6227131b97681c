-- what: JSON aggregates of rows, arrays and JSON, in windows, by key.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_end, JSON_ARRAYAGG(JSON_OBJECT('z' VALUE id, 'a' VALUE m)) AS o, JSON_ARRAYAGG(ts) AS t, JSON_OBJECTAGG(s VALUE JSON_ARRAY(id, d)) AS x FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND)) WHERE s IS NOT NULL GROUP BY k, window_start, window_end;
