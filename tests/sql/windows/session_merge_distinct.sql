-- what: Sessions that merge: distinct values, filters, minima and maxima of both parts.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, window_start, window_end, COUNT(DISTINCT s) AS ds, COUNT(*) FILTER (WHERE id > 4) AS f, MIN(s) AS mi, MAX(m) AS ma, SUM(DISTINCT m) AS sm, AVG(m) AS av FROM TABLE(SESSION(TABLE b PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY k, window_start, window_end;
