-- what: Cumulating windows with late rows, distinct values and filters.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_start, window_end, MIN(s) AS mi, COUNT(DISTINCT s) AS ds, COUNT(*) FILTER (WHERE m > 3) AS f, SUM(d) AS d FROM TABLE(CUMULATE(TABLE b, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '20' SECOND)) GROUP BY k, window_start, window_end;
