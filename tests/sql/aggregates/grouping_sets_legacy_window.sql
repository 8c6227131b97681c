-- what: Grouping sets over a legacy window.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT TUMBLE_END(ts, INTERVAL '20' SECOND) AS e, k, COUNT(*) AS n FROM b GROUP BY TUMBLE(ts, INTERVAL '20' SECOND), ROLLUP (k);
