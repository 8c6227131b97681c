-- what: Two aggregates of one window joined in one SELECT.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_end, COUNT(*) AS n, COUNT(DISTINCT s) AS u, AVG(m) AS a, STDDEV_POP(d) AS sd, FIRST_VALUE(id) AS f FROM TABLE(TUMBLE(TABLE b, DESCRIPTOR(ts), INTERVAL '15' SECOND)) GROUP BY k, window_start, window_end;
