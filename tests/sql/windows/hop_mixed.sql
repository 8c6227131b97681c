-- what: Minima, maxima, distinct values and means over hopping windows with late rows.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_start, window_end, MIN(s) AS mi, MAX(m) AS ma, COUNT(DISTINCT s) AS ds, AVG(m) AS av, SUM(m) FILTER (WHERE id < 9) AS f FROM TABLE(HOP(TABLE b, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY k, window_start, window_end;
