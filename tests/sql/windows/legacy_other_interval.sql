-- what: A window function that is not that of GROUP BY.
-- compare: rows
CREATE TABLE b (id INT, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT TUMBLE_START(ts, INTERVAL '5' SECOND) AS s, COUNT(*) AS n FROM b GROUP BY TUMBLE(ts, INTERVAL '10' SECOND);
