-- what: a key that ROLLUP leaves out is aggregated too: there it keeps its value, and is not NULL.
-- compare: rows
CREATE TABLE b (id INT NOT NULL, k STRING, m DECIMAL(5,1), d DOUBLE, s STRING, ts TIMESTAMP(3), WATERMARK FOR ts AS ts - INTERVAL '8' SECOND) WITH ('connector'='filesystem','path'='${DATA}/bursts.csv','format'='csv','csv.null-literal'='');
SELECT k, s, COUNT(*) AS n, MAX(s) AS ms, SUM(id) AS si, id FROM b GROUP BY ROLLUP (k, (s, id)) HAVING GROUPING(id) = 1 OR id < 5;
