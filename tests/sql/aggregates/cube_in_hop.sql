-- what: CUBE over hopping windows with distinct values.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT window_start, window_end, k, s, GROUPING_ID(k, s) AS g, COUNT(DISTINCT id) AS n FROM TABLE(HOP(TABLE b, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '20' SECOND)) GROUP BY window_start, window_end, CUBE (k, s);
