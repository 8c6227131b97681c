-- what: Legacy windows: expressions as keys, window functions inside expressions, HAVING.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT UPPER(k) AS u, CAST(TUMBLE_END(ts, INTERVAL '10' SECOND) AS STRING) AS e, COUNT(*) + 1 AS n FROM b WHERE id > 1 GROUP BY UPPER(k), TUMBLE(ts, INTERVAL '10' SECOND) HAVING COUNT(*) > 1 OR UPPER(k) = 'C';
