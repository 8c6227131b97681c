-- what: Legacy windows over the row time of legacy windows.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT TUMBLE_END(r, INTERVAL '20' SECOND) AS e, SUM(n) AS n FROM (SELECT k, TUMBLE_ROWTIME(ts, INTERVAL '5' SECOND) AS r, COUNT(*) AS n FROM b GROUP BY k, TUMBLE(ts, INTERVAL '5' SECOND)) GROUP BY TUMBLE(r, INTERVAL '20' SECOND);
